import { isEmpty } from "../attention/key-range.js";
import { maskOf } from "../attention/mask.js";
import type { AttentionProblem, Operands } from "../attention/problem.js";
import { allRows } from "../attention/rows.js";
import { InputError } from "../errors.js";
import { sinkOf } from "./given-scores.js";

/** @throws InputError where what a row leaves behind does not give its log-sum-exp. */
export function requireLogSumExp({ arithmetic }: AttentionProblem): void {
  if (arithmetic.smooth === "none") return;
  throw new InputError({
    where: "lse",
    got: `arithmetic ${arithmetic.name}, smooth: ${arithmetic.smooth}`,
    expected: "scores of K as it is: what smoothing takes from them is not in RM and RD",
  });
}

/**
 * The logarithm of the sum of the exponentials of each row's scores, its sink among them: [B, H, P], in float64 of
 * scale * RM + ln RD, stored in fp32. A row without keys has its sink, or -inf.
 * @param states RM and RD of each row, [B, H, P, 2]
 */
export function logSumExp(
  problem: AttentionProblem,
  operands: Pick<Operands, "sinks">,
  states: ArrayLike<number>,
): Float32Array {
  requireLogSumExp(problem);
  const { shape, scale, arithmetic } = problem;
  const mask = maskOf(problem);
  return Float32Array.from({ length: allRows(problem).end }, (_, row) => {
    if (isEmpty(mask.span(row))) {
      return operands.sinks === undefined ? Number.NEGATIVE_INFINITY : scale * sinkOf(operands, shape, row);
    }
    const [rm, rd] = [states[2 * row] as number, states[2 * row + 1] as number];
    return scale * rm + Math.log(rd) - arithmetic.offset * Math.LN2;
  });
}
