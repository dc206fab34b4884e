import type { Cascade } from "../cascade.js";
import { type Access, type Einsum, type Expression, plainVariable } from "../einsum.js";
import { formatAccess } from "../format-einsum.js";
import { formatExpression } from "../format-expression.js";
import { soleName } from "../size.js";
import { freeName, withoutUnused } from "./edit.js";
import { inlined, quotientOf, rename, writerOf } from "./factors.js";
import { indexAt, iterated, notOneReduction, Running } from "./iterate.js";
import type { Law, Refusal, Rewrite } from "./law.js";

/**
 * Sums of squares about a mean in one pass (B. P. Welford, Technometrics 4, 1962): the mean of what has been seen moves with every
 * element, and the sum of squares about it by the product of both differences.
 */
export const runAboutMean: Law = {
  name: "a running sum of squares about a running mean",
  statement:
    "sum over r of (x(r) - mean)^2 = S(end), where m(r + 1) = m(r) + (x(r) - m(r)) / (r + 1) and S(r + 1) = S(r) + (x(r) - m(r)) * (x(r) - m(r + 1)), and mean is the sum of x over its number",
  apply(cascade) {
    const results = cascade.einsums.map(einsum => runIn(cascade, einsum)).filter(result => result !== null);
    return {
      rewrites: results.filter(result => "cascade" in result),
      refusals: results.filter(result => "reason" in result),
    };
  },
};

/** Null for an Einsum that is no sum of squares of a difference from a tensor. */
function runIn(cascade: Cascade, einsum: Einsum): Rewrite | Refusal | null {
  const { tensor, reductions, reduced, right } = einsum;
  if (reductions[0]?.op !== "+") return null;
  const { factors, divisors } = quotientOf(right);
  const [first, second, third] = factors.map(factor => whole(cascade, factor));
  if (first === undefined || second === undefined || third !== undefined || divisors.length > 0) return null;
  if (formatExpression(first) !== formatExpression(second)) return null;
  if (first.kind !== "binary" || first.op !== "-" || first.right.kind !== "access") return null;
  const refuse = (reason: string): Refusal => ({ tensor, reason });
  const unfit = notOneReduction(cascade, einsum);
  const [variable] = reduced;
  if (unfit !== null || variable === undefined) return refuse(unfit ?? "it is not reduced");
  if (!isMeanOf(cascade, first.right, first.left, variable))
    return refuse(`${first.right.tensor} is not the mean over ${variable} of what it is taken from`);

  const x = formatExpression(first.left);
  const sum = new Running(cascade, freeName(cascade, `R${tensor}`), einsum, variable);
  const mean = new Running(cascade, freeName(cascade, `R${first.right.tensor}`, [sum.tensor]), einsum, variable);
  const number = freeName(cascade, "N", [sum.tensor, mean.tensor]);
  const difference = freeName(cascade, `D${tensor}`, [sum.tensor, mean.tensor, number]);
  const apart = formatAccess(difference, [indexAt(variable, [], einsum), ...einsum.indices]);
  const lines = [
    `${number}[${variable}=0] = 0`,
    mean.start("0"),
    sum.start("0"),
    `${number}[${variable}+1] = ${number}[${variable}] + 1`,
    `${apart} = ${x} - ${mean.before}`,
    `${mean.after} = ${mean.before} + ${apart} / ${number}[${variable}+1]`,
    `${sum.after} = ${sum.before} + ${apart} * (${x} - ${mean.after})`,
  ];
  const words = `${tensor} as ${sum.tensor} about ${mean.tensor}, which run over ${variable}`;
  return { tensor, words, cascade: withoutUnused(iterated(cascade, sum, lines), cascade.outputs) };
}

/** What makes an expression element by element. */
function whole(cascade: Cascade, expression: Expression): Expression {
  return (
    (expression.kind === "access" ? inlined(expression, writerOf(cascade, expression.tensor)) : null) ?? expression
  );
}

/** Whether an access is the sum of x over a variable, divided by how many there are. */
function isMeanOf(cascade: Cascade, access: Access, x: Expression, variable: string): boolean {
  const quotient = whole(cascade, access);
  if (quotient.kind !== "binary" || quotient.op !== "/" || quotient.left.kind !== "access") return false;
  const count = quotient.right.kind === "size" ? soleName(quotient.right.size) : undefined;
  const rank = cascade.ranks.ofVariable(variable);
  if (count === undefined || cascade.ranks.byName(count) !== rank) return false;
  const total = writerOf(cascade, quotient.left.tensor);
  if (total === undefined || notOneReduction(cascade, total) !== null || total.reductions[0]?.op !== "+") return false;
  const [over] = total.reduced;
  if (over === undefined || cascade.ranks.ofVariable(over) !== rank) return false;
  const names = new Map([[over, variable]]);
  for (const [place, index] of total.indices.entries()) {
    const read = quotient.left.indices[place];
    const [own, other] = [plainVariable(index), read && plainVariable(read)];
    if (own === undefined || other === undefined || other === variable) return false;
    names.set(own, other);
  }
  return formatExpression(rename(total.right, names)) === formatExpression(x);
}
