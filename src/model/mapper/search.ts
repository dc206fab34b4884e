import type { Effort, MappedBlock } from "./block.js";
import type { CostCache } from "./cost-table.js";
import { drawnOrder, inTurns } from "./drawn-order.js";
import { aimsOf, chosenOf, comparing, Front, type Objective, type Outcome, sumOf } from "./goal.js";
import { type BoundedBlock, leastOf, leastPath } from "./least.js";
import type { OptionLibrary } from "./option.js";
import type { MapperProblem } from "./problem.js";
import { promisingOf } from "./promising.js";
import {
  BlockFront,
  type BoundAnswer,
  type NumberedBlock,
  type SearchAnswer,
  Searcher,
  type SearchTask,
  type TilingAnswer,
} from "./searcher.js";
import type { TilingSpace } from "./tiling-space.js";

/** How far to search. */
export interface SearchLimits {
  readonly objective: Objective;
  /** Tilings at the most; undefined: all that a bound does not rule out. */
  readonly budget: number | undefined;
  /** Partial mappings of one tiling that are gone on with, Einsum by Einsum; undefined: all. */
  readonly width: number | undefined;
  /** Of a budget smaller than the space every other tiling is drawn by this seed; undefined: those with the best bounds are taken. */
  readonly seed?: number | undefined;
}

/** A whole mapping: blocks one after the other. */
export interface FoundMapping {
  readonly outcome: Outcome;
  readonly what: readonly MappedBlock[];
}

/** What was searched, and what was not and why. */
export interface SearchReport {
  /** Mappings of the space: every fusion, tiling, place and level that keeps a tensor, before any bound. */
  readonly space: bigint;
  /**
   * Blocks of neighbouring Einsums that may be fused; those that may not, for they would part what is carried from step to step; and
   * of the first those left because no mapping with them can be better.
   */
  readonly blocks: { readonly all: number; readonly split: number; readonly beaten: number };
  /** `all` is the sum of what follows `ruledOutByPasses`, which is besides. */
  readonly tilings: {
    readonly all: number;
    /** Not formed: they cut a rank over which the block passes more than once. */
    readonly ruledOutByPasses: number;
    /** Of blocks that are left. */
    readonly inBeatenBlocks: number;
    /** Left: no place has room for their tiles. */
    readonly unfit: number;
    /** Left: even the least that they can take is more than what was found. */
    readonly beaten: number;
    readonly visited: number;
    /** Not looked at, as the budget was spent. */
    readonly left: number;
  };
  readonly effort: Readonly<Effort>;
  /** Whether what was found is the best of the space. */
  readonly isProven: boolean;
}

export interface SearchResult {
  readonly found: readonly FoundMapping[];
  readonly report: SearchReport;
}

/** Steps of a search that do not wait for each other, and how far it has come. */
export interface SearchRound {
  readonly tasks: readonly SearchTask[];
  /** Tilings that were bounded and tilings that were settled, and both of all. */
  readonly done: number;
  readonly total: number;
}

type Found = readonly NumberedBlock[];

/** A limited search does not go after less than this share. */
const worthwhile = 1e-3;
/** Once it is known which tilings are best, they are searched so much more broadly. */
const polishing = 8;
/** Of a limited search, tilings that are bounded for each that may be searched: a bound takes milliseconds where loops have many orders. */
const boundsPerSearch = 5;
/** Tilings whose bounds are one step: a second's work at the most, for threads to share and a file to keep. */
const boundsAtOnce = 64;
/** Tilings that are searched side by side against what was known before them: the same for any number of threads. The first alone. */
const mostAtOnce = 16;
const nothing: Outcome = { latencySeconds: 0, energyPj: 0 };

/** Searches the mappings of a problem, fused blocks of neighbouring Einsums one after the other. */
export function searchMappings(problem: MapperProblem, limits: SearchLimits): SearchResult {
  const searcher = new Searcher(problem);
  const rounds = searchRounds(searcher, limits);
  for (let answers: readonly SearchAnswer[] = []; ; ) {
    const { value, done } = rounds.next(answers);
    if (done === true) return value;
    answers = value.tasks.map(task => searcher.answer(task));
  }
}

/** The same in rounds: each is to be given the answers to its tasks, in their order. */
export function* searchRounds(
  searcher: Searcher,
  { objective, budget = Number.POSITIVE_INFINITY, width, seed }: SearchLimits,
): Generator<SearchRound, SearchResult, readonly SearchAnswer[]> {
  const { problem, library } = searcher;
  const n = problem.einsums.length;
  const effort: Effort = { nodes: 0, mappings: 0, beaten: 0, unfit: 0, passedOver: 0 };
  const { legal, split } = blocksOf(problem, library, searcher.cache);
  const before = leastPath(n, legal, "before");
  const after = leastPath(n, legal, "after");
  const around = ({ from, to }: BoundedBlock): Outcome => sumOf(before[from] as Outcome, after[to] as Outcome);
  const through = (block: BoundedBlock): Outcome => sumOf(around(block), block.bound);
  const formed = new Map(legal.map(block => [block, searcher.tilingsOf(block.from, block.to)]));
  const tilings = { all: 0, ruledOutByPasses: 0, inBeatenBlocks: 0, unfit: 0, beaten: 0, visited: 0, left: 0 };
  for (const { count, ruledOut } of formed.values()) {
    tilings.all += count;
    tilings.ruledOutByPasses += ruledOut;
  }
  const slack = width === undefined ? 0 : worthwhile;
  const fronts = new Map<BoundedBlock, Front<NumberedBlock>>();
  let whole = new Front<Found>(objective, slack, true);
  let beatenBlocks = 0;
  let bounded = 0;
  // Of the tilings that were bounded, those that took no search.
  let settled = 0;
  const round = (tasks: readonly SearchTask[]): SearchRound => {
    return { tasks, done: bounded + settled + tilings.beaten + tilings.visited + tilings.left, total: 2 * tilings.all };
  };
  const take = (answer: SearchAnswer, front: Front<NumberedBlock>): void => {
    const { found, effort: own } = answer as TilingAnswer;
    for (const { outcome, what } of found) front.offer(outcome, () => what);
    for (const key of Object.keys(own) as (keyof Effort)[]) effort[key] += own[key];
  };
  const rank = ({ latencySeconds, energyPj }: Outcome): number => (objective === "energy" ? energyPj : latencySeconds);
  // The largest blocks first: fusing saves most.
  const ordered = [...legal].sort((a, b) => b.to - b.from - (a.to - a.from) || rank(through(a)) - rank(through(b)));
  for (const [b, block] of ordered.entries()) {
    const { from, to } = block;
    const space = formed.get(block) as TilingSpace;
    const { count } = space;
    if (whole.isBeaten(through(block))) {
      beatenBlocks += 1;
      tilings.inBeatenBlocks += count;
      bounded += count;
      settled += count;
      continue;
    }
    const promising = promisingOf(problem, library, block, space, boundsPerSearch * budget);
    const bounds = (yield round(boundTasks(from, to, promising))).flatMap(answer => (answer as BoundAnswer).bounds);
    bounded += count;
    tilings.left += count - promising.length;
    const front = new BlockFront<NumberedBlock>(objective, () => whole, around(block), slack);
    fronts.set(block, front);
    const fit = promising.flatMap((tiling, i) => {
      const own = bounds[i] ?? null;
      return own === null ? [] : [{ tiling, bound: { latencySeconds: own[0], energyPj: own[1] } }];
    });
    tilings.unfit += promising.length - fit.length;
    settled += promising.length - fit.length;
    // Where fan-outs are of several sizes bounds say less: every other tiling is one that looks best at a glance.
    const isGlanced = problem.tileParts > 1 && promising.length < count;
    const sorted = inTurns([
      ...aimsOf(objective).map(aim => {
        const compare = comparing(aim);
        return [...fit].sort((x, y) => compare(x.bound, y.bound) || x.tiling - y.tiling);
      }),
      ...(isGlanced ? [fit] : []),
    ]);
    const order = seed === undefined ? sorted : drawnOrder(sorted, budget - tilings.visited, seed, b);
    for (let next = 0, atOnce = 1; next < order.length; atOnce = Math.min(2 * atOnce, mostAtOnce)) {
      const tasks: SearchTask[] = [];
      const known = front.all.map(({ outcome }) => outcome);
      const wholes = whole.all.map(({ outcome }) => outcome);
      for (; next < order.length && tasks.length < atOnce; next += 1) {
        const { tiling, bound } = order[next] as (typeof order)[number];
        if (front.isBeaten(bound)) {
          tilings.beaten += 1;
        } else if (tilings.visited + tasks.length >= budget) {
          tilings.left += 1;
        } else {
          const knowing = { known, whole: wholes, around: around(block) };
          tasks.push({ kind: "tiling", from, to, tiling, objective, width, slack, ...knowing });
        }
      }
      if (tasks.length === 0) continue;
      for (const answer of yield round(tasks)) take(answer, front);
      tilings.visited += tasks.length;
    }
    whole = joined(objective, slack, n, legal, fronts);
  }
  let chosen = chosenOf(objective, whole.all);
  if (width !== undefined && objective !== "edp" && objective !== "pareto") {
    const polished: { readonly outcome: Outcome; readonly what: Found }[] = [];
    for (const mapping of chosen) {
      const own = { objective, width: polishing * width, slack: 0, known: [], whole: [], around: nothing };
      const tasks = mapping.what.map(({ from, to, tiling }) => ({ kind: "tiling" as const, from, to, tiling, ...own }));
      const again = (yield round(tasks)).map(answer => {
        const front = new Front<NumberedBlock>(objective);
        take(answer, front);
        return front.all[0];
      });
      polished.push(betterOf(objective, mapping, again));
    }
    chosen = polished;
  }
  const sizes = new Map(
    legal.map(block => {
      const { count = 0 } = formed.get(block) ?? {};
      return [block, BigInt(count) * mappingsOf(problem, library, block)];
    }),
  );
  return {
    found: chosen.map(({ outcome, what }) => ({ outcome, what: what.map(block => searcher.block(block)) })),
    report: {
      space: countPaths(n, legal, sizes),
      blocks: { all: legal.length, split, beaten: beatenBlocks },
      tilings,
      effort,
      isProven: tilings.left === 0 && width === undefined,
    },
  };
}

function boundTasks(from: number, to: number, all: readonly number[]): readonly SearchTask[] {
  return Array.from({ length: Math.ceil(all.length / boundsAtOnce) }, (_, i) => {
    const tilings = all.slice(i * boundsAtOnce, (i + 1) * boundsAtOnce);
    return { kind: "bound" as const, from, to, tilings };
  });
}

/** A mapping, or its blocks as they were found again under their own tilings, where those are better. */
function betterOf(
  objective: Objective,
  mapping: { readonly outcome: Outcome; readonly what: Found },
  again: readonly ({ readonly outcome: Outcome; readonly what: NumberedBlock } | undefined)[],
): { readonly outcome: Outcome; readonly what: Found } {
  const blocks = again.flatMap(block => block ?? []);
  if (blocks.length < again.length) return mapping;
  const front = new Front<Found>(objective);
  front.offer(mapping.outcome, () => mapping.what);
  front.offer(sumOf(...blocks.map(({ outcome }) => outcome)), () => blocks.map(({ what }) => what));
  return front.all[0] ?? mapping;
}

/** Every run of neighbouring Einsums within which all stays that is carried from step to step. */
function blocksOf(
  problem: MapperProblem,
  library: OptionLibrary,
  cache: CostCache,
): { readonly legal: readonly BoundedBlock[]; readonly split: number } {
  const { einsums, facts } = problem;
  const parts = einsums.flatMap((_, e) => (problem.goesOn(e) ? [{ first: e, last: e + 1 }] : []));
  const carried = einsums.flatMap(({ name }, reader) =>
    facts.reads(name).flatMap(({ tensor, when }) => {
      const maker = problem.makerOf(tensor);
      return when === "carried" && maker >= 0
        ? [{ first: Math.min(reader, maker), last: Math.max(reader, maker) }]
        : [];
    }),
  );
  const ties = [...carried, ...parts];
  const legal: BoundedBlock[] = [];
  let split = 0;
  for (let from = 0; from < einsums.length; from += 1) {
    for (let to = from + 1; to <= einsums.length; to += 1) {
      const inside = (i: number): boolean => i >= from && i < to;
      if (ties.some(({ first, last }) => inside(first) !== inside(last))) split += 1;
      else legal.push({ from, to, bound: leastOf(problem, library, cache, from, to) });
    }
  }
  return { legal, split };
}

/** Whole mappings of the fronts of blocks: every path of blocks from the first Einsum to the last. */
function joined(
  objective: Objective,
  slack: number,
  n: number,
  blocks: readonly BoundedBlock[],
  fronts: ReadonlyMap<BoundedBlock, Front<NumberedBlock>>,
): Front<Found> {
  const at = Array.from({ length: n + 1 }, (_, i) => new Front<Found>(objective, slack, i === n));
  at[0]?.offer(nothing, () => []);
  const ordered = [...blocks].sort((a, b) => a.to - b.to || a.from - b.from);
  for (const block of ordered) {
    for (const { outcome, what } of fronts.get(block)?.all ?? []) {
      for (const start of at[block.from]?.all ?? []) {
        at[block.to]?.offer(sumOf(start.outcome, outcome), () => [...start.what, what]);
      }
    }
  }
  return at[n] as Front<Found>;
}

/** Places of each Einsum times the levels that may keep each of its tensors. */
function mappingsOf({ einsums }: MapperProblem, library: OptionLibrary, { from, to }: BoundedBlock): bigint {
  let product = 1n;
  for (let i = from; i < to; i += 1) {
    const reads = einsums[i]?.placed.reads.length ?? 0;
    const own = library.placesOf(i).reduce((total, { array }) => {
      const memories = array.levels.length - array.fanouts.length - 1;
      // Registers keep every tensor; any other memory may or may not.
      return total + 2n ** BigInt(memories * (reads + 1));
    }, 0n);
    product *= own;
  }
  return product;
}

function countPaths(n: number, blocks: readonly BoundedBlock[], sizes: ReadonlyMap<BoundedBlock, bigint>): bigint {
  const count = Array.from({ length: n + 1 }, () => 0n);
  count[0] = 1n;
  for (const block of [...blocks].sort((a, b) => a.to - b.to || a.from - b.from)) {
    count[block.to] = (count[block.to] as bigint) + (count[block.from] as bigint) * (sizes.get(block) ?? 0n);
  }
  return count[n] as bigint;
}
