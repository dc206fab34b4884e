import { groupOf } from "../attention/heads.js";
import { type AttentionMask, noMask } from "../attention/mask.js";
import { type KeyMask, keyMaskOf, type SequenceClass } from "../attention/sequences.js";
import type { AttentionShape } from "../attention/shape.js";
import type { Tile } from "../attention/tile.js";
import type { Design } from "../spec/design.js";
import { published } from "./accounting.js";
import { hidesSome } from "./attention-point.js";
import { compileDesign } from "./compile.js";
import { evaluate } from "./evaluate.js";
import { checkSizes } from "./sizes.js";

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
export interface CostShape extends Omit<AttentionShape, "kvHeads"> {
  /** As many as query heads where it is left out. */
  readonly kvHeads?: number;
}

const nothing: RunCost = { cycles: 0, seconds: 0, dramBytes: 0, util2d: 0, util1d: 0, energyPj: 0 };

/**
 * The cost of an attention on an array of m0 rows and p0 columns. Throws SpecError when the tiles do not fit the design's buffer.
 */
export function costOfRun(design: Design, shape: CostShape, tile: Tile, mask: AttentionMask = noMask): RunCost {
  const compiled = compileDesign(design, {
    // A design of other parameters has an array of its own size.
    patches: Object.entries({ rows: tile.m0, columns: tile.p0 })
      .filter(([name]) => design.architecture.data.parameters[name] !== undefined)
      .map(([name, value]) => ({ path: `architecture.parameters.${name}`, value })),
  });
  const { heads, kvHeads: H = heads, headDim: E, valueDim: F } = shape;
  const group = groupOf({ heads, kvHeads: H });
  const seen = keyMaskOf(shape, mask);
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
