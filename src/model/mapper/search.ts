import { finestOf, mostBeyond, nextLeft } from "./beyond.js";
import type { Effort, MappedBlock } from "./block.js";
import type { CostCache } from "./cost-table.js";
import { drawnOrder, inTurns } from "./drawn-order.js";
import {
  aimsOf,
  chosenOf,
  comparing,
  Front,
  nothing,
  type Objective,
  type Outcome,
  sumOf,
  worthwhile,
} from "./goal.js";
import { type BoundedBlock, leastOf, leastPath } from "./least.js";
import type { OptionLibrary } from "./option.js";
import type { MapperProblem } from "./problem.js";
import { promisingOf } from "./promising.js";
import { type BlockFound, type Found, type PassedTiling, refinements, type WholeFound } from "./refine.js";
import {
  BlockFront,
  type BoundAnswer,
  type NumberedBlock,
  type SearchAnswer,
  Searcher,
  type SearchTask,
  type TilingAnswer,
} from "./searcher.js";
import { countMappings } from "./space.js";
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
  /** What a mapping takes that is known besides: a limited search gives up none of the objective against it for less of the rest. */
  readonly own?: Outcome | undefined;
}

/** A whole mapping: blocks one after the other. */
export interface FoundMapping {
  readonly outcome: Outcome;
  readonly what: readonly MappedBlock[];
}

/** What was searched, and what was not and why. */
export interface SearchReport {
  /** Mappings of the space (`countMappings`), before any bound. */
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
  /** Tilings that were visited beyond the budget: within it nothing was found. */
  readonly beyondBudget: number;
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

/** Of a limited search, tilings that are bounded for each that may be searched: a bound takes milliseconds where loops have many orders. */
const boundsPerSearch = 5;
/** Tilings whose bounds are one step: a second's work at the most, for threads to share and a file to keep. */
const boundsAtOnce = 64;
/** Tilings that are searched side by side against what was known before them: the same for any number of threads. The first alone. */
const mostAtOnce = 16;

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
  { objective, budget = Number.POSITIVE_INFINITY, width, seed, own }: SearchLimits,
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
  const finest = finestOf(legal);
  const slack = width === undefined ? 0 : worthwhile;
  const fronts = new Map<BoundedBlock, Front<NumberedBlock>>();
  const passedOf = new Map<BoundedBlock, PassedTiling[]>();
  let whole = new Front<Found>(objective, slack, true);
  let beatenBlocks = 0;
  let beyondBudget = 0;
  let bounded = 0;
  // Of the tilings that were bounded, those that took no search.
  let settled = 0;
  const round = (tasks: readonly SearchTask[]): SearchRound => {
    return { tasks, done: bounded + settled + tilings.beaten + tilings.visited + tilings.left, total: 2 * tilings.all };
  };
  const take = (answer: SearchAnswer, front: Front<NumberedBlock>): void => {
    for (const { outcome, what } of taken(answer, effort)) front.offer(outcome, () => what);
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
    // With the budget spent no tiling of it is searched, unless nothing else is found.
    if (tilings.visited >= budget && (whole.all.length > 0 || !finest.includes(block))) {
      tilings.left += count;
      bounded += count;
      continue;
    }
    const promising = promisingOf(problem, library, block, space, boundsPerSearch * budget);
    const bounds = (yield round(boundTasks(from, to, promising))).flatMap(answer => (answer as BoundAnswer).bounds);
    bounded += count;
    tilings.left += count - promising.length;
    const front = new BlockFront<NumberedBlock>(objective, () => whole, around(block), slack);
    fronts.set(block, front);
    const fit = promising.flatMap((tiling, i) => {
      const bound = bounds[i] ?? null;
      return bound === null ? [] : [{ tiling, bound }];
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
    const passed: PassedTiling[] = [];
    passedOf.set(block, passed);
    const order = seed === undefined ? sorted : drawnOrder(sorted, budget - tilings.visited, seed, b);
    for (let next = 0, atOnce = 1; next < order.length; atOnce = Math.min(2 * atOnce, mostAtOnce)) {
      const tasks: SearchTask[] = [];
      const known = front.all.map(({ outcome }) => outcome);
      const wholes = whole.all.map(({ outcome }) => outcome);
      for (; next < order.length && tasks.length < atOnce; next += 1) {
        const { tiling, bound } = order[next] as (typeof order)[number];
        if (front.isBeaten(bound)) {
          tilings.beaten += 1;
          passed.push({ tiling, bound, reason: "beaten" });
        } else if (tilings.visited + tasks.length >= budget) {
          tilings.left += 1;
          passed.push({ tiling, bound, reason: "left" });
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
  // A budget within which nothing is found is gone beyond, block by block, until there is something.
  for (let turn = 0; whole.all.length === 0 && turn < mostBeyond; turn += 1) {
    const more = finest.flatMap(block => {
      const passed = passedOf.get(block);
      const front = fronts.get(block);
      const next = front?.all.length === 0 ? nextLeft(passed ?? [], turn) : undefined;
      return next === undefined || front === undefined || passed === undefined ? [] : [{ block, passed, front, next }];
    });
    if (more.length === 0) break;
    const tasks = more.map(({ block: { from, to }, next: { tiling } }): SearchTask => {
      const knowing = { known: [], whole: [], around: nothing };
      return { kind: "tiling", from, to, tiling, objective, width, slack, ...knowing };
    });
    const answers = yield round(tasks);
    for (const [i, { passed, front, next }] of more.entries()) {
      take(answers[i] as SearchAnswer, front);
      passed.splice(passed.indexOf(next), 1);
    }
    tilings.left -= more.length;
    tilings.visited += more.length;
    beyondBudget += more.length;
    whole = joined(objective, slack, n, legal, fronts);
  }
  let chosen = chosenOf(objective, whole.all);
  if (width !== undefined && objective !== "edp" && objective !== "pareto") {
    const refined: WholeFound[] = [];
    for (const mapping of chosen) {
      const blocks: BlockFound[] = [];
      for (const what of mapping.what) {
        const block = legal.find(({ from, to }) => from === what.from && to === what.to) as BoundedBlock;
        const passed = passedOf.get(block) ?? [];
        const outcome = fronts.get(block)?.all.find(item => item.what === what)?.outcome as Outcome;
        const steps = refinements(
          { objective, width, own },
          { outcome, what },
          mapping.outcome,
          passed,
          () => budget - tilings.visited,
        );
        let step = steps.next([]);
        while (step.done !== true) {
          const { tasks, ties } = step.value;
          const answers = yield round(tasks);
          for (const { reason } of ties) tilings[reason] -= 1;
          tilings.visited += ties.length;
          step = steps.next(answers.flatMap(answer => taken(answer, effort)));
        }
        blocks.push(step.value);
      }
      refined.push({ outcome: sumOf(...blocks.map(block => block.outcome)), what: blocks.map(block => block.what) });
    }
    chosen = refined;
  }
  return {
    found: chosen.map(({ outcome, what }) => ({ outcome, what: what.map(block => searcher.block(block)) })),
    report: {
      space: countMappings(problem, library, legal, block => formed.get(block) as TilingSpace),
      blocks: { all: legal.length, split, beaten: beatenBlocks },
      tilings,
      beyondBudget,
      effort,
      isProven: tilings.left === 0 && width === undefined,
    },
  };
}

/** What a step found; its effort is added to that of all. */
function taken(answer: SearchAnswer, effort: Effort): readonly BlockFound[] {
  const { found, effort: own } = answer as TilingAnswer;
  for (const key of Object.keys(own) as (keyof Effort)[]) effort[key] += own[key];
  return found;
}

function boundTasks(from: number, to: number, all: readonly number[]): readonly SearchTask[] {
  return Array.from({ length: Math.ceil(all.length / boundsAtOnce) }, (_, i) => {
    const tilings = all.slice(i * boundsAtOnce, (i + 1) * boundsAtOnce);
    return { kind: "bound" as const, from, to, tilings };
  });
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
      const isPart = problem.isSchedulable && to - from < einsums.length;
      if (isPart || ties.some(({ first, last }) => inside(first) !== inside(last))) split += 1;
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
