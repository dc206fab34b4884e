import {
  type AttentionProblem,
  type CheckResult,
  check,
  type Engine,
  emulate,
  type FormatName,
  formats,
  noMask,
  sampleRows,
} from "fusemax";
import type { Attention, LayerInputs } from "./attention.js";

/** The array of the paper: 256 keys down its rows, 256 queries across its columns. */
const tile = { m0: 256, p0: 256 } as const;

/** How many output rows of a layer are compared with float64 attention. */
const checkedRows = 64;

/** One layer's attention on the emulated array. */
export interface LayerReport {
  readonly layer: number;
  readonly heads: number;
  readonly headDim: number;
  readonly emulateSeconds: number;
  /** Against float64 attention on the same q, k and v. */
  readonly check: CheckResult;
}

/** Attention as the FuseMax array computes it in `format`, checked layer by layer. */
export function emulatedAttention(
  engine: Engine,
  format: FormatName,
  onLayer: (report: LayerReport) => void,
): Attention {
  return async inputs => {
    const { layer, heads, headDim, q, k, v } = inputs;
    const problem = problemOf(inputs, format);
    const { av, operands, seconds } = await emulate(problem, { q, k, v }, { engine });
    const result = await check(problem, { q, k, v }, operands, av, sampleRows(problem, checkedRows));
    onLayer({ layer, heads, headDim, emulateSeconds: seconds, check: result });
    return Float64Array.from(av);
  };
}

function problemOf({ heads, tokens, headDim, scale }: LayerInputs, format: FormatName): AttentionProblem {
  return {
    shape: { batch: 1, heads, kvHeads: heads, queries: tokens, keys: tokens, headDim, valueDim: headDim },
    mask: noMask,
    tile,
    format: formats[format],
    scale,
  };
}
