import type { Cascade } from "../cascade.js";
import type { Einsum, ReductionOperator } from "../einsum.js";
import { formatExpression } from "../format-expression.js";
import { freeName } from "./edit.js";
import { iterated, notOneReduction, Running } from "./iterate.js";
import { type Law, lawResult, type Refusal, type Rewrite, rewriteOf } from "./law.js";

/** Operators and what they start from: the neutral element of each monoid. */
const neutral: Readonly<Record<ReductionOperator, string>> = { "+": "0", "*": "1", max: "-inf", min: "inf" };

/** A reduction as an iteration that has, after each element, the reduction of what it has seen. */
const runReduction = (name: string, operators: readonly ReductionOperator[]): Law => ({
  name,
  statement: `op over r of x(r) = R(end), where R(0) is neutral and R(r + 1) = op(R(r), x(r)), for ${operators.join(" and ")}`,
  apply: cascade =>
    lawResult(
      cascade.einsums.map(einsum => {
        const [only] = einsum.reductions;
        return only === undefined || !operators.includes(only.op) ? null : run(cascade, einsum, only.op);
      }),
    ),
});

/** The local extremum gives way to a running one. */
export const runningExtremum = runReduction("a running extremum", ["max", "min"]);
/** Sums and products of what has been seen. */
export const runningSum = runReduction("a running sum", ["+", "*"]);

function run(cascade: Cascade, einsum: Einsum, op: ReductionOperator): Rewrite | Refusal {
  const { tensor, reduced, right } = einsum;
  const refuse = (reason: string): Refusal => ({ tensor, reason });
  const [variable] = reduced;
  const unfit = notOneReduction(cascade, einsum);
  if (unfit !== null || variable === undefined) return refuse(unfit ?? "it is not reduced");
  const running = new Running(cascade, freeName(cascade, `R${tensor}`), einsum, variable);
  const { before, after } = running;
  const operand = formatExpression(right);
  const step = op === "max" || op === "min" ? `${op}(${before}, ${operand})` : `${before} ${op} (${operand})`;
  const lines = [running.start(neutral[op]), `${after} = ${step}`];
  const words = `${tensor} as ${running.tensor}, which runs over ${variable}`;
  return rewriteOf(tensor, words, () => iterated(cascade, running, lines));
}
