import { kvHeadOf } from "../attention/heads.js";
import { isEmpty, type KeyRange } from "../attention/key-range.js";
import { type Mask, maskOf } from "../attention/mask.js";
import type { AttentionProblem, Operands } from "../attention/problem.js";
import { headOf } from "../attention/rows.js";
import { type MacChains, macChains, makeLanes } from "../numerics/lanes.js";
import { type ProcessingElement, processingElement } from "../numerics/pe.js";

/** Keys whose scores are computed side by side; a matter of speed alone. */
const lanesAtOnce = 256;

/**
 * What a plain 3-pass attention (FuseMax Eq. 33-38) gives in the same formats, its sums in ascending order over the
 * whole row: score, row maximum, exp in float64 then rounded to the operand format, denominator, each weight divided
 * and rounded, sum with V. The difference from the emulated array is what tiling and the array's exp cost beyond the
 * number format.
 */
export class Baseline {
  private readonly problem: AttentionProblem;
  private readonly operands: Operands;
  private readonly mask: Mask;
  private readonly pe: ProcessingElement;
  private readonly mac: MacChains;
  /** Scores, then weights, of the row in work. */
  private readonly scratch: Float32Array;

  constructor(problem: AttentionProblem, operands: Operands) {
    this.problem = problem;
    this.operands = operands;
    this.mask = maskOf(problem);
    this.pe = processingElement(problem.format);
    this.mac = macChains(problem.format);
    this.scratch = new Float32Array(problem.shape.keys);
  }

  /** One output row, [F] in accumulator values; not finite where a 16-bit accumulator overflowed. */
  row(row: number): Float32Array {
    const { shape, scale } = this.problem;
    const { valueDim } = shape;
    const seen = this.mask.span(row);
    const values = makeLanes(valueDim);
    if (isEmpty(seen)) return values.values;
    const firstKey = kvHeadOf(shape, headOf(shape, row)) * shape.keys;
    const { pe } = this;
    const weights = this.scores(row, firstKey, seen);
    const maximum = weights.reduce((a, x) => pe.max(a, x));
    let denominator = 0;
    for (let i = 0; i < weights.length; i += 1) {
      const difference = pe.subtract(weights[i] as number, maximum);
      const numerator = pe.operand(Math.fround(Math.exp(scale * difference)));
      weights[i] = numerator;
      denominator = pe.add(denominator, numerator);
    }
    for (let i = 0; i < weights.length; i += 1) {
      weights[i] = pe.operand(Math.fround((weights[i] as number) / denominator));
    }
    const v = { values: this.operands.v, offset: (firstKey + seen.from) * valueDim, stride: valueDim };
    this.mac(values, { values: weights, first: 0, count: weights.length }, v, 0, valueDim);
    return values.values;
  }

  /** QK of one query with the keys it sees, in accumulators. */
  private scores(row: number, firstKey: number, { from, to }: KeyRange): Float32Array {
    const { headDim } = this.problem.shape;
    const { q, k } = this.operands;
    const out = this.scratch.subarray(0, to - from);
    const lanes = makeLanes(lanesAtOnce);
    const transposed = new Float32Array(lanesAtOnce * headDim);
    for (let start = from; start < to; start += lanesAtOnce) {
      const count = Math.min(lanesAtOnce, to - start);
      for (let m = 0; m < count; m += 1) {
        const at = (firstKey + start + m) * headDim;
        for (let e = 0; e < headDim; e += 1) transposed[e * lanesAtOnce + m] = k[at + e] as number;
      }
      lanes.values.fill(0);
      const query = { values: q, first: row * headDim, count: headDim };
      this.mac(lanes, query, { values: transposed, offset: 0, stride: lanesAtOnce }, 0, count);
      out.set(lanes.values.subarray(0, count), start - from);
    }
    return out;
  }
}
