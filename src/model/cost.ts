import type { Design } from "../spec/design.js";
import { compileDesign } from "./compile.js";
import { evaluate } from "./evaluate.js";
import { checkSizes } from "./sizes.js";

/** What one attention costs on a design, `published` accounting. */
export interface RunCost {
  /** Cycles of computation, partial tiles charged whole. */
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
  readonly queries: number;
  readonly keys: number;
  readonly headDim: number;
  readonly valueDim: number;
}

/**
 * The cost of an attention on an array of m0 rows and p0 columns. Every query head is charged its own keys and values.
 * Throws SpecError when the tiles do not fit the design's buffer.
 */
export function costOfRun(
  design: Design,
  shape: CostShape,
  tile: { readonly m0: number; readonly p0: number },
): RunCost {
  const compiled = compileDesign(design, {
    patches: [
      { path: "architecture.parameters.rows", value: tile.m0 },
      { path: "architecture.parameters.columns", value: tile.p0 },
    ],
  });
  const { batch: B, heads: H, headDim: E, valueDim: F, keys: M, queries: P } = shape;
  const result = evaluate(compiled, checkSizes({ B, H, E, F, M, P, modelDim: H * E, feedForward: 4 * H * E }));
  return {
    cycles: result.phases.reduce((sum, { computeCycles }) => sum + computeCycles, 0),
    seconds: result.latencySeconds,
    dramBytes: result.trafficBytes,
    util2d: result.utilization["2d"] ?? 0,
    util1d: result.utilization["1d"] ?? 0,
    energyPj: result.energyPj,
  };
}
