import { kvHeadsOf } from "../../attention/heads.js";
import type { AttentionProblem } from "../../attention/problem.js";
import type { BlockPlan } from "./blocks.js";
import { eight } from "./pack.js";
import { phase } from "./state.js";

/** A part of K and V that fits a binding: keys [keyBegin, keyEnd) of `kvHeadCount` key/value heads (all keys when more than one). */
export interface Chunk {
  readonly kvHeadBegin: number;
  readonly kvHeadCount: number;
  readonly keyBegin: number;
  readonly keyEnd: number;
}

/** One dispatch: some blocks over some keys, whole tiles or a part of one. */
export interface Job {
  readonly chunk: Chunk;
  readonly blockBegin: number;
  readonly blockCount: number;
  readonly keyBegin: number;
  readonly keyEnd: number;
  readonly phases: number;
  /** Multiply-accumulates, for the measure of speed. */
  readonly macs: number;
}

const wholeTile = phase.scores | phase.values;

export interface JobLimits {
  /** Keys of one key/value head that fit a chunk. */
  readonly chunkKeys: number;
  /** Workgroups below which a dispatch leaves the adapter idle. */
  readonly parallelBlocks: number;
  /** Multiply-accumulates that a dispatch may do; asked before each one. */
  readonly budget: () => number;
}

/**
 * Cuts a request into dispatches: chunk by chunk; in a chunk as many blocks as the budget lets do a tile, then as many
 * tiles as it lets. A tile that is itself too long is cut along its keys: the scores of all parts first, since the
 * maximum comes before the weights. Jobs depend on those before them and on nothing after.
 */
export function* planJobs(problem: AttentionProblem, plan: BlockPlan, limits: JobLimits): Generator<Job> {
  const { keys } = problem.shape;
  const { blocks } = plan;
  const kvHeadsAtOnce = Math.max(1, Math.floor(limits.chunkKeys / (Math.ceil(keys / eight) * eight)));
  for (let block = 0; block < blocks.length; ) {
    // Chunks of several key/value heads begin at fixed ones, so that every request finds them in the cache.
    const { kvHead } = blocks[block] as { kvHead: number };
    const kvHeadBegin = Math.floor(kvHead / kvHeadsAtOnce) * kvHeadsAtOnce;
    const end = endOfKvHeads(plan, block, kvHeadBegin + kvHeadsAtOnce);
    const kvHeadCount = Math.min(kvHeadsAtOnce, kvHeadsOf(problem.shape) - kvHeadBegin);
    yield* kvHeadJobs(problem, plan, limits, { blockBegin: block, blockEnd: end, kvHeadBegin, kvHeadCount });
    block = end;
  }
}

function endOfKvHeads({ blocks }: BlockPlan, from: number, kvHeadEnd: number): number {
  let end = from;
  while (end < blocks.length && (blocks[end] as { kvHead: number }).kvHead < kvHeadEnd) end += 1;
  return end;
}

interface BlockSpan {
  readonly blockBegin: number;
  readonly blockEnd: number;
  readonly kvHeadBegin: number;
  readonly kvHeadCount: number;
}

function* kvHeadJobs(problem: AttentionProblem, plan: BlockPlan, limits: JobLimits, span: BlockSpan): Generator<Job> {
  const { keys } = problem.shape;
  const { m0 } = problem.tile;
  const { kvHeadBegin, kvHeadCount } = span;
  // Chunks begin at a multiple of 8 keys, as K is laid out, and of M0, so that each holds whole tiles.
  const step = leastCommonMultiple(m0, eight);
  const fits = Math.ceil(keys / eight) * eight <= limits.chunkKeys;
  const stride = fits ? keys : Math.floor(limits.chunkKeys / step) * step;
  if (stride === 0) {
    yield* longTileJobs(problem, plan, limits, span);
    return;
  }
  for (let keyBegin = 0; keyBegin < keys; keyBegin += stride) {
    const chunk = { kvHeadBegin, kvHeadCount, keyBegin, keyEnd: Math.min(keys, keyBegin + stride) };
    yield* chunkJobs(problem, plan, limits, span, chunk);
  }
}

function* chunkJobs(
  problem: AttentionProblem,
  plan: BlockPlan,
  limits: JobLimits,
  { blockBegin, blockEnd }: BlockSpan,
  chunk: Chunk,
): Generator<Job> {
  const { m0 } = problem.tile;
  const tiles = { begin: Math.floor(chunk.keyBegin / m0), end: Math.ceil(chunk.keyEnd / m0) };
  for (let first = blockBegin; first < blockEnd; ) {
    const fit = Math.floor(limits.budget() / (macsPerKey(problem, plan) * m0));
    const count = Math.min(blockEnd - first, Math.max(fit, limits.parallelBlocks));
    const touched = touchedTiles(plan, first, count);
    const end = Math.min(tiles.end, touched.end);
    for (let tile = Math.max(tiles.begin, touched.begin); tile < end; ) {
      const perTile = macsPerKey(problem, plan) * m0 * count;
      const affordable = Math.floor(limits.budget() / perTile);
      const take = Math.min(end - tile, Math.max(1, affordable));
      const keyBegin = tile * m0;
      const keyEnd = Math.min((tile + take) * m0, problem.shape.keys);
      if (affordable === 0) yield* partJobs(problem, plan, limits, { first, count }, tile, () => chunk);
      else {
        const macs = macsPerKey(problem, plan) * (keyEnd - keyBegin) * count;
        yield { chunk, blockBegin: first, blockCount: count, keyBegin, keyEnd, phases: wholeTile, macs };
      }
      tile += take;
    }
    first += count;
  }
}

/** Tiles of which not one fits a chunk: each is cut into chunks, with as many blocks as there are. */
function* longTileJobs(problem: AttentionProblem, plan: BlockPlan, limits: JobLimits, span: BlockSpan): Generator<Job> {
  const { keys } = problem.shape;
  const step = Math.max(eight, Math.floor(limits.chunkKeys / eight) * eight);
  const chunkAt = (key: number): Chunk => {
    const keyBegin = Math.floor(key / step) * step;
    return { kvHeadBegin: span.kvHeadBegin, kvHeadCount: 1, keyBegin, keyEnd: Math.min(keys, keyBegin + step) };
  };
  const count = span.blockEnd - span.blockBegin;
  const touched = touchedTiles(plan, span.blockBegin, count);
  for (let tile = touched.begin; tile < touched.end; tile += 1) {
    yield* partJobs(problem, plan, limits, { first: span.blockBegin, count }, tile, chunkAt);
  }
}

/** One tile in parts along its keys: all scores, then all weighted values. */
function* partJobs(
  problem: AttentionProblem,
  plan: BlockPlan,
  limits: JobLimits,
  { first, count }: { readonly first: number; readonly count: number },
  tile: number,
  chunkAt: (key: number) => Chunk,
): Generator<Job> {
  const { m0 } = problem.tile;
  const { headDim, valueDim, keys } = problem.shape;
  const tileEnd = Math.min((tile + 1) * m0, keys);
  for (const phases of [phase.scores, phase.values]) {
    const width = phases === phase.scores ? headDim : valueDim;
    for (let keyBegin = tile * m0; keyBegin < tileEnd; ) {
      const chunk = chunkAt(keyBegin);
      const perKey = plan.blockRows * count * width;
      const affordable = Math.max(1, Math.floor(limits.budget() / perKey / eight)) * eight;
      const keyEnd = Math.min(tileEnd, chunk.keyEnd, Math.floor(keyBegin / eight) * eight + affordable);
      yield {
        chunk,
        blockBegin: first,
        blockCount: count,
        keyBegin,
        keyEnd,
        phases,
        macs: perKey * (keyEnd - keyBegin),
      };
      keyBegin = keyEnd;
    }
  }
}

/** Multiply-accumulates of one block and one key. */
function macsPerKey({ shape }: AttentionProblem, { blockRows }: BlockPlan): number {
  return blockRows * (shape.headDim + shape.valueDim);
}

function touchedTiles({ blocks }: BlockPlan, first: number, count: number): { begin: number; end: number } {
  let begin = Number.POSITIVE_INFINITY;
  let end = 0;
  for (let n = first; n < first + count; n += 1) {
    const { tileBegin, tileEnd } = blocks[n] as { tileBegin: number; tileEnd: number };
    if (tileBegin >= tileEnd) continue;
    begin = Math.min(begin, tileBegin);
    end = Math.max(end, tileEnd);
  }
  return begin < end ? { begin, end } : { begin: 0, end: 0 };
}

function leastCommonMultiple(a: number, b: number): number {
  let [x, y] = [a, b];
  while (y !== 0) [x, y] = [y, x % y];
  return (a / x) * b;
}
