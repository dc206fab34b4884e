import type { ArithmeticSpec } from "../../numerics/arithmetic.js";
import { largestInput, largestOperand } from "../../numerics/limits.js";
import { decoded, type Encoded, encode, type Matrix, type ScaleFacts, transposed } from "./encode.js";
import { checkHead, checkValues, type HeadMatrices, matricesOf, type OneHead } from "./head.js";
import { HeadQueries } from "./head-queries.js";

/** Operands that were past the largest value of their type. */
export type Saturated = Readonly<Record<"q" | "k" | "v" | "p", number>>;

export interface OneHeadResult {
  /** AV [P, F]: values of the accumulator. */
  readonly av: Matrix;
  readonly saturated: Saturated;
  /** RM and RD of each query at the end, [P, 2]; NaN where there is neither a key nor a sink. */
  readonly states: Float64Array;
  /** Operands times their scales: q [P, E], k [M, E] (smoothed, where keys are), v [M, F]. */
  readonly decoded: Readonly<Record<"q" | "k" | "v", Matrix>>;
}

/**
 * Attention of one head in one pass over the keys, in any arithmetic: the golden bits of docs/arithmetic.md, one value
 * at a time.
 * @throws InputError for values or sizes out of range, NumericsError where a result leaves the accumulator's range
 * @example
 * ```ts
 * import { loadArithmetic, onePassAttention, specFiles } from "fusemax/node";
 *
 * const matrix = { rows: 2, columns: 2, values: new Float64Array([1, 0, 0, 1]) };
 * const { av } = onePassAttention(loadArithmetic(specFiles, "hopper-fp8"), {
 *   ...{ q: matrix, k: matrix, v: matrix },
 *   ...{ m0: 2, scale: 1, kvSplits: 1, sees: () => true },
 * });
 * console.log(av.values[0]); // 0.7272727489471436
 * ```
 */
export function onePassAttention(arithmetic: ArithmeticSpec, head: OneHead): OneHeadResult {
  checkHead(head);
  return onePassOf(arithmetic, head, matricesOf(arithmetic, head), {});
}

/**
 * The same on a head's matrices.
 * @param facts what scales rest on beyond this head: the largest magnitudes for `tensor` and `head`, or given scales
 */
export function onePassOf(
  arithmetic: ArithmeticSpec,
  head: OneHead,
  matrices: HeadMatrices,
  facts: Partial<Record<"q" | "k" | "v", ScaleFacts>>,
): OneHeadResult {
  const { operands } = arithmetic;
  const encodedAs = (name: "q" | "k" | "v"): Encoded => {
    const { scale, type } = operands[name];
    checkValues(name, matrices[name], scale === "none" ? Number.MAX_VALUE : largestInput, head.label);
    const encoded = encode(matrices[name], operands[name], facts[name]);
    checkValues(name, encoded, largestOperand(type), head.label);
    return encoded;
  };
  const encoded = { q: encodedAs("q"), k: encodedAs("k"), v: encodedAs("v") };
  const queries = new HeadQueries(arithmetic, head, encoded);
  const [rows, columns] = [head.q.rows, head.v.columns];
  const av = new Float64Array(rows * columns);
  const states = new Float64Array(2 * rows).fill(Number.NaN);
  for (let p = 0; p < rows; p += 1) {
    const result = queries.output(p);
    av.set(result.av, p * columns);
    if (result.states !== null) states.set([result.states.rm, result.states.rd], 2 * p);
  }
  const { q, k, v } = encoded;
  return {
    av: { rows, columns, values: av },
    states,
    saturated: { q: q.saturated, k: k.saturated, v: v.saturated, p: queries.saturated },
    decoded: { q: decoded(q, operands.q), k: decoded(k, operands.k), v: transposed(decoded(v, operands.v)) },
  };
}
