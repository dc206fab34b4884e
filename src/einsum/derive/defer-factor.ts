import type { Cascade } from "../cascade.js";
import type { Einsum, Expression } from "../einsum.js";
import { formatAccess } from "../format-einsum.js";
import { formatExpression } from "../format-expression.js";
import { freshName, replaceEinsums, withoutUnused } from "./edit.js";
import { expressionOf, opened, type Quotient, variablesOf } from "./factors.js";
import { type Law, lawResult, type Refusal, type Rewrite, rewriteOf } from "./law.js";

/**
 * Deferring a factor past a sum (FuseMax section III, Eq. 31-32 for attention's division): a sum is linear, so that
 * what does not vary over the summed ranks may be multiplied, or divided by, once at the end.
 */
export const deferFactor: Law = {
  name: "defer a factor",
  statement: "sum over r of x(r) * c / d = (sum over r of x(r)) * c / d, where c and d do not vary over r",
  apply: cascade => lawResult(cascade.einsums.map(einsum => deferIn(cascade, einsum))),
};

/** Null for an Einsum that is no sum of a product. */
function deferIn(cascade: Cascade, einsum: Einsum): Rewrite | Refusal | null {
  const { tensor, reductions, reduced, right } = einsum;
  if (reduced.length === 0) return null;
  const { factors, divisors } = opened(cascade, right);
  if (factors.length + divisors.length < 2) return null;
  const varies = (factor: Expression): boolean => reduced.some(variable => variablesOf(factor).has(variable));
  const fixed: Quotient = { factors: factors.filter(x => !varies(x)), divisors: divisors.filter(x => !varies(x)) };
  if (fixed.factors.length + fixed.divisors.length === 0) return null;
  const refuse = (reason: string): Refusal => ({ tensor, reason });
  const [only] = reductions;
  if (reductions.length > 1 || only?.op !== "+")
    return refuse("it is reduced by other than one sum, which alone is linear");
  if (einsum.iteration !== null) return refuse("it iterates: each step reads what the one before left");
  if (einsum.filters.length > 0) return refuse("a filter says over which points it sums");
  const varying: Quotient = { factors: factors.filter(varies), divisors: divisors.filter(varies) };
  const kept = variablesOf(expressionOf(varying));
  const missing = reduced.find(variable => !kept.has(variable));
  if (missing !== undefined) return refuse(`nothing that varies over ${missing} would be left in the sum over it`);

  const name = freshName(cascade, tensor);
  const free = einsum.indices.filter(index => index.terms.every(({ variable }) => kept.has(variable)));
  const sum = formatAccess(name, free);
  const scaled = expressionOf({
    factors: [{ kind: "access", tensor: name, indices: free, bracketed: true, span: einsum.span }, ...fixed.factors],
    divisors: fixed.divisors,
  });
  const annotation = einsum.annotation === null ? "" : ` @${einsum.annotation}`;
  const lines = [
    `${sum} = ${formatExpression(expressionOf(varying))}`,
    `${formatAccess(tensor, einsum.indices)} = ${formatExpression(scaled)}${annotation}`,
  ];
  const moved = [...fixed.factors, ...fixed.divisors].map(formatExpression).join(" and ");
  const words = `${moved} out of the sum over ${reduced.join(", ")} that makes ${tensor}`;
  return rewriteOf(tensor, words, () =>
    withoutUnused(replaceEinsums(cascade, new Map([[einsum, lines]])), cascade.outputs),
  );
}
