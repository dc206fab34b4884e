import { setImmediate } from "node:timers/promises";
import { matrix, multiply, pack } from "./linear.js";

/** One layer's attention: softmax(scale · Q · Kᵀ) · V for each head, no mask. */
export interface LayerInputs {
  readonly layer: number;
  readonly heads: number;
  readonly tokens: number;
  readonly headDim: number;
  readonly scale: number;
  /** Queries, keys and values, each [heads, tokens, headDim]. */
  readonly q: Float64Array;
  readonly k: Float64Array;
  readonly v: Float64Array;
}

/** Computes the heads' outputs, [heads, tokens, headDim]. */
export type Attention = (inputs: LayerInputs) => Promise<Float64Array>;

/** So many queries at a time, so that memory grows with the number of tokens and not with its square. */
const queryBlock = 64;

/** Textbook attention in float64: what the emulated attention is compared with at the end. */
export const float64Attention: Attention = async ({ heads, tokens, headDim, scale, q, k, v }) => {
  const output = new Float64Array(heads * tokens * headDim);
  for (let h = 0; h < heads; h++) {
    const head = (tensor: Float64Array): Float64Array =>
      tensor.subarray(h * tokens * headDim, (h + 1) * tokens * headDim);
    const keys = pack(head(k), headDim, tokens, true);
    const values = pack(head(v), tokens, headDim);
    for (let start = 0; start < tokens; start += queryBlock) {
      const rows = Math.min(queryBlock, tokens - start);
      const queries = head(q).subarray(start * headDim, (start + rows) * headDim);
      const weights = multiply(matrix(rows, headDim, queries), keys);
      for (let row = 0; row < rows; row++) softmax(weights.data.subarray(row * tokens, (row + 1) * tokens), scale);
      head(output).set(multiply(weights, values).data, start * headDim);
      await setImmediate(); // so that Ctrl-C is heard
    }
  }
  return output;
};

/** Replaces the scores of one query by their weights. */
function softmax(scores: Float64Array, scale: number): void {
  let largest = Number.NEGATIVE_INFINITY;
  for (const score of scores) largest = Math.max(largest, score);
  let total = 0;
  for (let i = 0; i < scores.length; i++) {
    const weight = Math.exp(scale * ((scores[i] as number) - largest));
    scores[i] = weight;
    total += weight;
  }
  for (let i = 0; i < scores.length; i++) scores[i] = (scores[i] as number) / total;
}
