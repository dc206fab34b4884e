import type { Design } from "../spec/design.js";
import { published } from "./accounting.js";
import { hidesSome } from "./attention-point.js";
import { compileDesign } from "./compile.js";
import { evaluate } from "./evaluate.js";
import { checkSizes } from "./sizes.js";
import type { KeyMask, SequenceClass } from "./visible-region.js";

/** What one attention costs on a design, `published` accounting. */
export interface RunCost {
  /** Cycles of computation: tiles in which a query sees a key, partial ones charged whole. */
  readonly cycles: number;
  /** The longer of computation and DRAM traffic. */
  readonly seconds: number;
  readonly dramBytes: number;
  readonly util2d: number;
  readonly util1d: number;
  readonly energyPj: number;
}

/** The sizes that an attention's cost depends on. */
export interface CostShape {
  readonly batch: number;
  readonly heads: number;
  /** Key/value heads, which query heads share in equal groups; as many as query heads where it is left out. */
  readonly kvHeads?: number;
  readonly queries: number;
  readonly keys: number;
  readonly headDim: number;
  readonly valueDim: number;
}

/** Which keys a query sees (src/attention/problem.ts has the same). */
export interface CostMask {
  readonly left: number;
  readonly right: number;
  readonly kvLens: readonly number[] | null;
  readonly qLens: readonly number[] | null;
}

const nothing: RunCost = { cycles: 0, seconds: 0, dramBytes: 0, util2d: 0, util1d: 0, energyPj: 0 };

/**
 * The cost of an attention on an array of m0 rows and p0 columns. Throws SpecError when the tiles do not fit the design's buffer.
 */
export function costOfRun(
  design: Design,
  shape: CostShape,
  tile: { readonly m0: number; readonly p0: number },
  mask: CostMask = { left: -1, right: -1, kvLens: null, qLens: null },
): RunCost {
  const compiled = compileDesign(design, {
    patches: [
      { path: "architecture.parameters.rows", value: tile.m0 },
      { path: "architecture.parameters.columns", value: tile.p0 },
    ],
  });
  const { heads, kvHeads: H = heads, headDim: E, valueDim: F } = shape;
  const group = heads / H;
  const seen = maskOf(shape, mask);
  if (seen === null) return nothing;
  const [M, queries] = [largest(seen, ({ keys }) => keys), largest(seen, ({ queries }) => queries)];
  const B = seen.sequences.reduce((sum, { count }) => sum + count, 0);
  const sizes = checkSizes({ B, H, E, F, M, queries, modelDim: heads * E, feedForward: 4 * heads * E, group });
  const result = evaluate(compiled, sizes, published, [], hidesSome(seen, group) ? seen : undefined);
  return {
    cycles: result.phases.reduce((sum, { computeCycles }) => sum + computeCycles, 0),
    seconds: result.latencySeconds,
    dramBytes: result.trafficBytes,
    util2d: result.utilization["2d"] ?? 0,
    util1d: result.utilization["1d"] ?? 0,
    energyPj: result.energyPj,
  };
}

const largest = ({ sequences }: KeyMask, size: (sequence: SequenceClass) => number): number =>
  Math.max(...sequences.map(size));

/** The sequences that have queries and keys, and what their queries see; null where none has. */
function maskOf({ batch, queries, keys }: CostShape, { left, right, kvLens, qLens }: CostMask): KeyMask | null {
  const all =
    kvLens === null && qLens === null
      ? [{ count: batch, queries, keys }]
      : Array.from({ length: batch }, (_, b) => ({
          count: 1,
          queries: qLens?.[b] ?? queries,
          keys: kvLens?.[b] ?? keys,
        }));
  const sequences = all.filter(sequence => sequence.queries > 0 && sequence.keys > 0);
  return sequences.length === 0 ? null : { left, right, sequences };
}
