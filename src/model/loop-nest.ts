/**
 * The loop-nest analysis: from a mapping of one Einsum to the words that each level reads, receives from below
 * (updates) and receives from above (fills), for any nest, with partial tiles.
 *
 * Everything is a count of distinct loop indices. A tile at a level is the tuples of the tensor's own loops there and
 * below; it is fetched anew for each tuple of the loops outside, but for the innermost run of loops that the tensor
 * does not have (it stays put across those). Loops over parts of one rank share its last, partial tile, so counts are
 * formed rank by rank (src/model/partition.ts) and multiplied.
 *
 * Counts are doubles that hold the exact integer, rounded once: exact up to 2^53, and past it the product is formed in
 * BigInt first.
 */
import { bigProduct, exactLimit } from "./count.js";
import type { NestShape, NestTensor } from "./nest.js";
import type { RankCounts } from "./rank-counts.js";
import { visitedWords } from "./visits.js";
import { apartInSpace, fetchedByWindows, tileOfWindows } from "./windows.js";

/** Words of one tensor at one level. */
export interface Accesses {
  readonly level: number;
  reads: number;
  updates: number;
  fills: number;
}

export interface TensorAccesses {
  readonly tensor: string;
  readonly output: boolean;
  /** The levels that keep the tensor, outermost first. */
  readonly levels: readonly Accesses[];
}

export interface AnalysisOptions {
  /** Count every instance of a level; else one instance, the first, as the published energies do. */
  readonly allInstances: boolean;
  /** Take the first reads of outputs in 64-bit integers that overflow, as the published evaluation's tool does. */
  readonly overflow: boolean;
  /** Count only down to this level; all of them when not given. */
  readonly deepest?: number;
}

/** How many distinct index tuples the loops of `mask` have. */
export function tuples(shape: NestShape, counts: RankCounts, mask: number): number {
  let product = 1;
  for (let r = 0; r < shape.ranks.length; r++) {
    const { shift, parts } = shape.ranks[r] as { shift: number; parts: number };
    product *= (counts[r] as Float64Array)[(mask >>> shift) & ((1 << parts) - 1)] as number;
  }
  if (product <= exactLimit) return product;
  return bigProduct(
    shape.ranks.map(({ shift, parts }, r) => {
      const subset = (mask >>> shift) & ((1 << parts) - 1);
      const known = (counts[r] as Float64Array)[subset] as number;
      return Number.isNaN(known) ? (counts.ask?.(r, subset) ?? known) : known;
    }),
  );
}

/** Steps in time: what one PE does, one after another. */
export const iterations = (shape: NestShape, counts: RankCounts): number => tuples(shape, counts, shape.masks.temporal);

/**
 * Steps of the instance that works longest where iterations of loops are dealt to the instances of fan-outs (`sizes`, one for each
 * of `shape.spread`): rounds of units, each as long as a whole unit. Of units that a mask shortens an instance takes the
 * next one when it is done with one: the longest unit, or an even share of all.
 * @param boxes the counts as if nothing were masked
 */
export function stepsOfBusiest(
  shape: NestShape,
  counts: RankCounts,
  boxes: RankCounts,
  unmasked: NestShape,
  sizes: readonly number[],
): number {
  const { spread = [] } = shape;
  const all = iterations(shape, counts);
  if (spread.length === 0) return all;
  const dealt = spread.reduce((mask, { loops }) => mask | loops, 0);
  const unit = tuples(unmasked, boxes, shape.masks.temporal & ~dealt);
  if (counts !== boxes) return Math.max(unit, Math.ceil(all / sizes.reduce((product, size) => product * size, 1)));
  return spread.reduce(
    (steps, { loops }, i) => steps * Math.ceil(tuples(shape, counts, loops) / (sizes[i] ?? 1)),
    unit,
  );
}

/** The share of all units of work that the busiest instance of each fan-out gets, of those that a level is within. */
export const busiestShare = (shape: NestShape, boxes: RankCounts, sizes: readonly number[], level: number): number =>
  (shape.spread ?? []).reduce((share, { level: fanout, loops }, i) => {
    if (fanout > level) return share;
    const units = tuples(shape, boxes, loops);
    return (share * Math.ceil(units / (sizes[i] ?? 1))) / units;
  }, 1);

/** Points of the iteration space: what all PEs do together. */
export const points = (shape: NestShape, counts: RankCounts): number =>
  tuples(shape, counts, shape.masks.temporal | shape.masks.spatial);

/** What the PE-steps of an Einsum are spent on. */
export interface PeSteps {
  /** On points that exist. */
  readonly useful: number;
  /** On points of touched tiles that a mask hides. */
  readonly masked: number;
  /** By fan-out: in instances that the mapping leaves without work. */
  readonly unfilled: readonly { readonly level: string; readonly steps: number }[];
}

/** A fan-out: the loops over it, as a mask, and its instances. */
export interface Fanout {
  readonly level: string;
  readonly loops: number;
  readonly size: number;
}

/** Splits steps times PEs by what they are spent on; fan-outs are outermost first. */
export function peSteps(
  shape: NestShape,
  counts: RankCounts,
  fanouts: readonly Fanout[],
  busiest = iterations(shape, counts),
): PeSteps {
  const { temporal } = shape.masks;
  let mask = temporal;
  let used = busiest;
  let within = fanouts.reduce((product, { size }) => product * size, 1);
  // What one instance of each fan-out over which work is dealt does of all of it.
  let left = shape.spread?.length ?? 0;
  let share = left === 0 || busiest === 0 ? 1 : busiest / iterations(shape, counts);
  const unfilled = fanouts.map(({ level, loops, size }) => {
    within /= size;
    const dealt = shape.spread?.find(spread => shape.levels[spread.level]?.name === level);
    if (dealt === undefined) mask |= loops;
    else {
      left -= 1;
      share = left === 0 ? 1 : Math.min(1, share * busyInstances(shape, counts, dealt.loops, size));
    }
    // Under a mask a count may be a bound from above: no more instances work than there are.
    const filled = Math.min(share * inTiles(shape, counts, mask), used * size);
    const steps = (used * size - filled) * within;
    used = filled;
    return { level, steps };
  });
  const useful = tuples(shape, counts, mask);
  return { useful, masked: used - useful, unfilled };
}

/** How many instances would do what all do, were each as busy as the busiest; under a mask all of them (`stepsOfBusiest`). */
function busyInstances(shape: NestShape, counts: RankCounts, loops: number, size: number): number {
  if (counts.touched !== undefined) return size;
  const units = tuples(shape, counts, loops);
  return units / Math.ceil(units / size);
}

/** Index tuples within touched tiles, masked or not. */
function inTiles(shape: NestShape, counts: RankCounts, mask: number): number {
  const held = counts.touched?.(mask, shape.masks.temporal);
  if (held === undefined) return tuples(shape, counts, mask);
  return held * tuples({ ...shape, ranks: shape.ranks.slice(1) }, counts.slice(1), mask);
}

/** The words of a tensor's tile at a level: those that its own loops there and below arrive at. */
export function tileWords(shape: NestShape, counts: RankCounts, tensor: NestTensor, level: number): number {
  const own = tensor.relevant & (shape.masks.from[level] as number);
  if (tensor.windows === undefined) return tuples(shape, counts, own);
  const { loops, words } = tileOfWindows(shape, counts, tensor.windows, own);
  return tuples(shape, counts, loops) * words;
}

/** The loops outside a level over which its tile of a tensor changes. */
function changing(shape: NestShape, counts: RankCounts, relevant: number, level: number): number {
  let mask = 0;
  let staying = true;
  for (let i = shape.loops.length - 1; i >= 0; i--) {
    const { level: at, bit } = shape.loops[i] as { level: number; bit: number };
    if (at >= level || shape.levels[at]?.spatial === true) continue;
    const loop = 1 << bit;
    if (staying && (relevant & loop) === 0) continue;
    // A loop that never iterates neither moves the tile nor holds it.
    if (staying && (counts.iterations?.(bit) ?? tuples(shape, counts, loop)) === 1) continue;
    staying = false;
    mask |= loop;
  }
  return mask;
}

/**
 * Words of a tensor that are fetched into a level: its tiles, each as often as it changes, and `more` loops that each word is
 * fetched for. Memories that windows put at the same words ask as one, but for those of loops `around`.
 */
export function fetchedWords(
  shape: NestShape,
  counts: RankCounts,
  { relevant, windows }: NestTensor,
  into: number,
  more: number,
  around: number,
): number {
  const tile = relevant & (shape.masks.from[into] as number);
  // A unit of work begins with empty memories: every iteration of a loop that is dealt brings another tile.
  const dealt = (shape.spread ?? []).reduce((mask, { level, loops }) => (level < into ? mask | loops : mask), 0);
  const moves = relevant | dealt;
  if (windows !== undefined) {
    const apart = apartInSpace(shape, counts, windows, more & ~around);
    const each = apart.loops | (more & around);
    return fetchedByWindows(shape, counts, { relevant, windows }, dealt, into, tile | each) * apart.places;
  }
  const walked = counts.fetched?.(moves, into, tile | more);
  if (walked !== undefined) return walked;
  const { alone } = counts;
  const uneven = alone?.some(({ uneven }, r) => {
    const { shift, parts } = shape.ranks[r] as NestShape["ranks"][number];
    return uneven && ((moves >>> shift) & ((1 << parts) - 1)) !== 0;
  });
  if (alone !== undefined && uneven === true) return visitedWords(shape, alone, moves, into, tile | more);
  return tuples(shape, counts, changing(shape, counts, moves, into) | tile | more);
}

/** How often the tile of a tensor at a level is another one than before. */
export const tilesMet = (shape: NestShape, counts: RankCounts, { relevant }: NestTensor, level: number): number =>
  tuples(shape, counts, changing(shape, counts, relevant, level));

/**
 * Words of a tensor that the instances within a level ask for in all steps, a word once a step.
 * @param within the loops in space that tell its words apart
 * @param around the loops in space whose instances ask each for itself
 */
function askedWords(
  shape: NestShape,
  counts: RankCounts,
  { windows }: NestTensor,
  within: number,
  around: number,
): number {
  const apart = windows === undefined ? undefined : apartInSpace(shape, counts, windows, within);
  const steps = tuples(shape, counts, shape.masks.temporal | around | (apart?.loops ?? within));
  return steps * (apart?.places ?? 1);
}

/**
 * Words of a tensor that cross a fan-out, once for each instance that gets one or sends one up: down from the memory
 * around it, and for sums up to it and, unless they have just begun, down again.
 * @param inner the outermost memory within the fan-out that keeps the tensor; undefined where none does
 */
export function wordsAcross(
  shape: NestShape,
  counts: RankCounts,
  tensor: NestTensor,
  fanout: number,
  inner: number | undefined,
): number {
  const { relevant, output } = tensor;
  const { spatial, spatialAbove, at } = shape.masks;
  const instances = (spatialAbove[fanout] as number) | (at[fanout] as number);
  const crossed =
    inner === undefined
      ? askedWords(shape, counts, tensor, relevant & spatial & ~instances, instances)
      : fetchedWords(shape, counts, tensor, inner, instances | (relevant & (spatialAbove[inner] as number)), instances);
  if (!output) return crossed;
  return crossed + Math.max(0, crossed - tuples(shape, counts, instances | relevant));
}

/**
 * Reads, updates and fills of every tensor at each level that keeps it. `kept[t]` lists the levels that keep tensor t,
 * outermost first; each tensor is kept somewhere.
 */
export function analyse(
  shape: NestShape,
  counts: RankCounts,
  kept: readonly (readonly number[])[],
  options: AnalysisOptions,
): TensorAccesses[] {
  const { spatial, spatialAbove } = shape.masks;
  return shape.tensors.map((tensor, t) => {
    const { name, output, relevant } = tensor;
    const at = kept[t] ?? [];
    const firsts = output ? firstReads(shape, counts, relevant, options) : undefined;
    const fetched = (into: number, more: number, around: number): number =>
      fetchedWords(shape, counts, tensor, into, more, around);
    const { deepest } = options;
    const counted = deepest === undefined ? at : at.filter(level => level <= deepest);
    const levels = counted.map((level, k): Accesses => {
      const above = spatialAbove[level] as number;
      const instances = options.allInstances ? above : 0;
      const next = at[k + 1];
      const served =
        next === undefined
          ? askedWords(shape, counts, tensor, relevant & spatial & ~above, instances)
          : fetched(next, (relevant & (spatialAbove[next] as number) & ~above) | instances, instances);
      const filled = k === 0 ? 0 : fetched(level, instances, instances);
      if (firsts === undefined) return { level, reads: served, updates: 0, fills: filled };
      const first = firsts(level);
      return {
        level,
        reads: Math.max(0, served - first),
        updates: served,
        fills: Math.max(0, filled - first),
      };
    });
    return { tensor: name, output, levels };
  });
}

/** Per level the words of an output that are met there for the first time, when there is nothing to read yet. */
function firstReads(
  shape: NestShape,
  counts: RankCounts,
  relevant: number,
  { allInstances, overflow }: AnalysisOptions,
): (level: number) => number {
  const { spatialAbove } = shape.masks;
  const exact = (level: number): number => {
    const above = spatialAbove[level] as number;
    return tuples(shape, counts, allInstances ? relevant | above : relevant & ~above);
  };
  if (!overflow) return exact;
  const wrapped = wrappedFirstReads(shape, counts, relevant);
  if (wrapped === undefined) return exact;
  return level => {
    const share = allInstances ? tuples(shape, counts, spatialAbove[level] as number) : 1;
    return Math.min(exact(level), (wrapped[level] as number) * share);
  };
}

const word = 2 ** 64;

/**
 * First reads as the published evaluation's tool forms them: level by level downward, times the tile, modulo 2^64,
 * divided by the tile and by the fan-out just above. Undefined when nothing overflows.
 */
function wrappedFirstReads(shape: NestShape, counts: RankCounts, relevant: number): readonly number[] | undefined {
  const { from, at } = shape.masks;
  const size = tuples(shape, counts, relevant);
  const tile = (level: number): number => tuples(shape, counts, relevant & (from[level] as number));
  if (size * tile(1) < word) return undefined;
  let first = BigInt(size);
  return shape.levels.map((_, level) => {
    if (level === 0) return size;
    const words = BigInt(tile(level));
    const fanout =
      shape.levels[level - 1]?.spatial === true ? tuples(shape, counts, relevant & (at[level - 1] as number)) : 1;
    first = BigInt.asUintN(64, first * words) / (words * BigInt(fanout));
    return Number(first);
  });
}
