import { groupOf } from "../attention/heads.js";
import { type AttentionMask, hasPlanes, noMask } from "../attention/mask.js";
import { biasText, type Division, noScoreTerms, type ScoreTerms } from "../attention/score-terms.js";
import { keyMaskOf, planeMaskOf, type SequenceClass } from "../attention/sequences.js";
import type { AttentionShape } from "../attention/shape.js";
import type { Tile } from "../attention/tile.js";
import type { Design } from "../spec/design.js";
import { designWithTerms } from "../spec/score-terms/design.js";
import { type Accounting, published } from "./accounting.js";
import { type ArrayShares, arrayShares } from "./array-shares.js";
import { hidesSome } from "./attention-point.js";
import { compileDesign } from "./compile.js";
import { type Evaluation, evaluate } from "./evaluate.js";
import type { Patch } from "./patch.js";
import { checkSizes } from "./sizes.js";

/** What one attention costs on a design, and how that was counted. */
export interface RunCost extends ArrayShares {
  readonly accounting: Accounting["name"];
  readonly corrections: readonly string[];
  /** Bits of the words that bytes and energy are for; of the widest operands where an arithmetic is charged. */
  readonly wordBits: number;
  /** Bits of an element of each kind of tensor, its share of scales included; null where all words have `wordBits`. */
  readonly elementBits: Evaluation["elementBits"];
  /** The time in clock cycles. */
  readonly cycles: number;
  /** How a cap of the scores is divided for, and the ranks of a bias; null for what is not charged. */
  readonly scores: { readonly softcap: Division | null; readonly bias: string | null };
  /** Cycles of computation alone: tiles in which a query sees a key, partial ones charged whole. */
  readonly busyCycles: number;
  /** The longer of computation and DRAM traffic. */
  readonly seconds: number;
  readonly frequencyHz: number;
  readonly dramBytesPerSecond: number;
  readonly dramBytes: number;
  /** Absent where it is not known. */
  readonly energyPj?: number;
  /** Names of the figures that are absent, because the technology lacks what `lacking` lists. */
  readonly missing: readonly string[];
  /** What the technology would have to give, such as `mac of fp8-e4m3`. */
  readonly lacking: readonly string[];
  /** What stands for words that the technology has no figures for, in a sentence; null where nothing does. */
  readonly assumed: string | null;
}

/** The sizes that an attention's cost depends on. */
export interface CostShape extends Omit<AttentionShape, "kvHeads"> {
  /** As many as query heads where it is left out. */
  readonly kvHeads?: number;
  /** Each value is the first part of its key: one tensor in memory. */
  readonly valuesInKeys?: boolean;
}

/** How to count. */
export interface CostOptions {
  readonly accounting?: Accounting;
  /** What is done to scores beside scaling, and charged. */
  readonly terms?: ScoreTerms;
}

/**
 * The cost of an attention on an array of m0 rows and p0 columns, or on the design's own. Throws SpecError when the tiles
 * do not fit the design's buffer, or when its array has no parameters `rows` and `columns` to set,
 * or when it has no place for a soft-cap or a bias.
 * @example
 * ```ts
 * import { costOfRun, loadDesign, specFiles } from "fusemax/node";
 *
 * const shape = { batch: 1, heads: 12, queries: 4096, keys: 4096, headDim: 64, valueDim: 64 };
 * const { cycles, dramBytes } = costOfRun(loadDesign(specFiles, "fusemax"), shape, undefined);
 * console.log(cycles, dramBytes); // 436224 25165824
 * ```
 */
export function costOfRun(
  design: Design,
  shape: CostShape,
  tile: Tile | undefined,
  mask: AttentionMask = noMask,
  { accounting = published, terms = noScoreTerms }: CostOptions = {},
): RunCost {
  const compiled = compileDesign(designWithTerms(design, terms).design, {
    corrections: accounting.corrections,
    patches: tile === undefined ? [] : arrayPatches(tile),
  });
  const { heads, kvHeads: kvHeadsGiven = heads, headDim: E, valueDim: F, valuesInKeys = false } = shape;
  const group = groupOf({ heads, kvHeads: kvHeadsGiven });
  // Heads of a mask of bits may see different keys: each is a sequence of its own, which costs what heads of one cost.
  const planes = hasPlanes(mask);
  const seen = planes ? planeMaskOf({ ...shape, kvHeads: kvHeadsGiven }, mask) : keyMaskOf(shape, mask);
  const H = planes ? 1 : kvHeadsGiven;
  // Without a score nothing is computed and nothing is moved: one score stands for the machine's own numbers.
  const sequences: readonly SequenceClass[] = seen?.sequences ?? [{ count: 1, queries: 1, keys: 1 }];
  const [M, queries] = [largest(sequences, ({ keys }) => keys), largest(sequences, ({ queries }) => queries)];
  const B = sequences.reduce((sum, { count }) => sum + count, 0);
  const sizes = checkSizes({
    ...{ B, H, E, F, M, queries, modelDim: heads * E, feedForward: 4 * heads * E, group },
    valuesInKeys: valuesInKeys ? 1 : 0,
  });
  const masked = seen !== null && hidesSome(seen, group) ? seen : undefined;
  const result = evaluate(compiled, sizes, accounting, [], masked);
  const energyPj = result.missing.includes("energyPj") ? {} : { energyPj: seen === null ? 0 : result.energyPj };
  const counted = (value: number): number => (seen === null ? 0 : value);
  return {
    accounting: accounting.name,
    corrections: accounting.corrections,
    wordBits: result.wordBits,
    elementBits: result.elementBits,
    scores: { softcap: terms.softcap, bias: terms.bias === null ? null : biasText(terms.bias) },
    cycles: counted(result.cycles),
    busyCycles: counted(result.phases.reduce((sum, { computeCycles }) => sum + computeCycles, 0)),
    seconds: counted(result.latencySeconds),
    frequencyHz: result.frequencyHz,
    dramBytesPerSecond: result.dramBytesPerSecond,
    dramBytes: counted(result.trafficBytes),
    ...arrayShares(
      Object.fromEntries(Object.entries(result.utilization).map(([name, share]) => [name, counted(share)])),
    ),
    ...energyPj,
    missing: result.missing.filter(name => name === "energyPj"),
    lacking: result.lacking,
    assumed: result.assumed,
  };
}

const arrayPatches = ({ m0, p0 }: Tile): readonly Patch[] =>
  Object.entries({ rows: m0, columns: p0 }).map(([name, value]) => ({
    ...{ path: `architecture.parameters.${name}`, value, where: `array of ${m0} x ${p0}` },
  }));

const largest = (sequences: readonly SequenceClass[], size: (sequence: SequenceClass) => number): number =>
  Math.max(...sequences.map(size));
