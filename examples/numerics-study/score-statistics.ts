import { kvHeadOf } from "#fusemax/attention/heads";
import { headOf } from "#fusemax/attention/rows";
import type { Attention } from "./subject.js";
import { seenKeys } from "./subject.js";

/** What an attention's scores are like, on its sampled rows, in float64. */
export interface ScoreStatistics {
  /** Root mean square over the rows of the standard deviation of scale * q.k within a row. */
  readonly spread: number;
  /** The largest magnitude of a score q.k before scaling: what BQK has to hold. */
  readonly largestRaw: number;
  /** Median over the rows of 1 / sum of squared weights: among how many keys the attention is shared. */
  readonly effectiveKeys: number;
}

export function scoreStatistics(attention: Attention): ScoreStatistics {
  const { shape, scale, inputs, rows } = attention;
  const { keys, headDim } = shape;
  let [variances, largestRaw] = [0, 0];
  const effective: number[] = [];
  for (const row of rows) {
    const { from, to } = seenKeys(attention, row);
    const first = kvHeadOf(shape, headOf(shape, row));
    const scores = new Float64Array(to - from);
    for (const i of scores.keys()) {
      const key = (first * keys + from + i) * headDim;
      let s = 0;
      for (let e = 0; e < headDim; e += 1) s += (inputs.q[row * headDim + e] as number) * (inputs.k[key + e] as number);
      scores[i] = s;
    }
    const mean = scores.reduce((a, b) => a + b, 0) / scores.length;
    variances += scores.reduce((sum, s) => sum + (scale * (s - mean)) ** 2, 0) / scores.length;
    largestRaw = scores.reduce((most, s) => Math.max(most, Math.abs(s)), largestRaw);
    const largest = scores.reduce((a, b) => Math.max(a, b));
    const weights = scores.map(s => Math.exp(scale * (s - largest)));
    effective.push(weights.reduce((a, b) => a + b) ** 2 / weights.reduce((sum, w) => sum + w * w, 0));
  }
  effective.sort((a, b) => a - b);
  return {
    spread: Math.sqrt(variances / rows.length),
    largestRaw,
    effectiveKeys: effective[Math.floor(effective.length / 2)] ?? Number.NaN,
  };
}
