import { matrix, multiply, pack } from "./linear.js";

/** One layer's attention: softmax(scale · Q · Kᵀ) · V for each head, no mask. */
export interface AttentionInputs {
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
export type Attention = (inputs: AttentionInputs) => Promise<Float64Array>;

/** Textbook attention in float64: what the emulated attention is compared with at the end. */
export const float64Attention: Attention = async ({ heads, tokens, headDim, scale, q, k, v }) => {
  const output = new Float64Array(heads * tokens * headDim);
  const size = tokens * headDim;
  for (let h = 0; h < heads; h++) {
    const head = (tensor: Float64Array): Float64Array => tensor.subarray(h * size, (h + 1) * size);
    const scores = multiply(matrix(tokens, headDim, head(q)), pack(head(k), headDim, tokens, true));
    for (let row = 0; row < tokens; row++) softmax(scores.data.subarray(row * tokens, (row + 1) * tokens), scale);
    output.set(multiply(scores, pack(head(v), tokens, headDim)).data, h * size);
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
