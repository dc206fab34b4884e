import { compileDesign } from "../compile.js";
import { type Effort, type MappedBlock, searchBlock } from "./block.js";
import { boundsOf, type LeastOfEinsum } from "./bounds.js";
import { CostCache, CostTable } from "./cost-table.js";
import { designOf, mappingFiles } from "./design.js";
import { Front, type Objective, type Outcome, sumOf } from "./goal.js";
import { HandOvers } from "./hand-over.js";
import { leastOutcome } from "./least.js";
import { OptionLibrary } from "./option.js";
import type { MapperProblem } from "./problem.js";
import { hasSchedule } from "./simulated.js";
import { setTiling } from "./tiling.js";
import { type TilingSpace, tilingsOf } from "./tiling-space.js";

/** A block of Einsums mapped, in numbers: its tiling by its number, the places of its Einsums by theirs in the lists of them. */
export interface NumberedBlock {
  readonly from: number;
  readonly to: number;
  readonly tiling: number;
  readonly einsums: readonly { readonly place: number; readonly kept: readonly (readonly number[])[] }[];
}

/** A step of a search: answered from the problem and itself alone, so that it does not matter where and when. */
export type SearchTask = BoundTask | TilingTask;
export type SearchAnswer = BoundAnswer | TilingAnswer;

/** What some tilings of the Einsums from `from` to before `to` take at the least. */
export interface BoundTask {
  readonly kind: "bound";
  readonly from: number;
  readonly to: number;
  /** By their numbers among the block's tilings. */
  readonly tilings: readonly number[];
}

export interface BoundAnswer {
  /** Null for a tiling under which there is no mapping. */
  readonly bounds: readonly (Outcome | null)[];
}

/** The mappings of a block under one tiling that nothing known beats. */
export interface TilingTask {
  readonly kind: "tiling";
  readonly from: number;
  readonly to: number;
  readonly tiling: number;
  readonly objective: Objective;
  readonly width: number | undefined;
  readonly slack: number;
  /** So much of something is as good as less; absent: less is better. */
  readonly enough?: Partial<Outcome>;
  /** The only place of each Einsum that is thought of, by its number; absent: all. */
  readonly places?: readonly number[];
  /** The best known of the block, and of whole mappings; what the rest of a mapping takes at the least. */
  readonly known: readonly Outcome[];
  readonly whole: readonly Outcome[];
  readonly around: Outcome;
}

export interface TilingAnswer {
  readonly found: readonly { readonly outcome: Outcome; readonly what: NumberedBlock }[];
  readonly effort: Readonly<Effort>;
}

/** A front of one block that knows what the rest of a mapping takes at the least, and what whole mappings were found. */
export class BlockFront<T> extends Front<T> {
  constructor(
    objective: Objective,
    private readonly whole: () => Front<unknown>,
    private readonly around: Outcome,
    slack: number,
    items: readonly { readonly outcome: Outcome; readonly what: T }[] = [],
    enough: Partial<Outcome> = {},
  ) {
    super(objective, slack, false, items, enough);
  }

  override isBeaten(bound: Outcome): boolean {
    return super.isBeaten(bound) || this.whole().isBeaten(sumOf(bound, this.around));
  }
}

/** Answers the steps of a search. Several that are made for the same problem give the same answers. */
export class Searcher {
  readonly library: OptionLibrary;
  readonly cache: CostCache;
  private readonly handOvers: HandOvers;
  private readonly remembered = new Map<string, LeastOfEinsum>();
  private readonly tilings = new Map<string, TilingSpace>();
  /** Whether a schedule was found, by what it has to fit. */
  private readonly schedules = new Map<string, boolean>();

  constructor(readonly problem: MapperProblem) {
    this.library = new OptionLibrary(problem);
    this.handOvers = new HandOvers(problem);
    this.cache = new CostCache(problem);
  }

  tilingsOf(from: number, to: number): TilingSpace {
    const key = `${from} ${to}`;
    const found = this.tilings.get(key) ?? tilingsOf(this.problem, from, to);
    this.tilings.set(key, found);
    return found;
  }

  answer(task: SearchTask): SearchAnswer {
    return task.kind === "bound" ? this.bound(task) : this.search(task);
  }

  private bound({ from, to, tilings: numbers }: BoundTask): BoundAnswer {
    const { problem, library, handOvers, cache, remembered } = this;
    const { values } = problem;
    const space = this.tilingsOf(from, to);
    return {
      bounds: numbers.map(number => {
        const tiling = space.at(number);
        setTiling(problem, tiling, values);
        const table = new CostTable(cache, tiling, values);
        const { after } = boundsOf(problem, library, from, to, tiling, table, handOvers.of(tiling), remembered);
        const least = leastOutcome(problem, after[0]);
        return Number.isFinite(least.latencySeconds) && Number.isFinite(least.energyPj) ? least : null;
      }),
    };
  }

  private search({
    from,
    to,
    tiling: t,
    objective,
    width,
    slack,
    enough,
    places,
    known,
    whole,
    around,
  }: TilingTask): TilingAnswer {
    const { problem, library, handOvers, cache } = this;
    const items = (outcomes: readonly Outcome[]) => outcomes.map(outcome => ({ outcome, what: null }));
    const wholes = new Front<null>(objective, slack, true, items(whole));
    const front = new BlockFront<MappedBlock | null>(objective, () => wholes, around, slack, items(known), enough);
    const effort: Effort = { nodes: 0, mappings: 0, beaten: 0, unfit: 0, passedOver: 0 };
    const tiling = this.tilingsOf(from, to).at(t);
    searchBlock(
      problem,
      library,
      { from, to },
      tiling,
      front,
      effort,
      handOvers.of(tiling),
      cache,
      width,
      places,
      block => this.accepts(block),
      known.length === 0 && whole.length === 0,
    );
    const found = front.all.flatMap(({ outcome, what }) => {
      if (what === null) return [];
      const einsums = what.einsums.map(({ option, kept }, e) => ({
        place: library.placesOf(from + e).indexOf(option.place),
        kept,
      }));
      return [{ outcome, what: { from, to, tiling: t, einsums } }];
    });
    return { found, effort };
  }

  /** Where schedules are asked for: whether there is one that fits the register files. */
  private accepts(block: MappedBlock): boolean {
    const { problem } = this;
    if (!problem.isSchedulable) return true;
    const { accounting, patches } = problem;
    const design = designOf(problem, mappingFiles(problem, [block], "tried", "fusemax map"));
    const compiled = compileDesign(design, { corrections: accounting.corrections, patches });
    return hasSchedule(problem, compiled, this.schedules);
  }

  /** The block that numbers stand for. */
  block({ from, to, tiling: t, einsums }: NumberedBlock): MappedBlock {
    const tiling = this.tilingsOf(from, to).at(t);
    return {
      from,
      tiling,
      einsums: einsums.map(({ place, kept }, e) => ({
        option: this.library.option(from + e, place, tiling.order),
        kept,
      })),
    };
  }
}
