import type { Cascade } from "../cascade.js";
import { accessesOf, type Einsum, type Expression, plainVariable } from "../einsum.js";
import { formatAccess } from "../format-einsum.js";
import { formatExpression } from "../format-expression.js";
import { freshName, replaceEinsums, withRight } from "./edit.js";
import { expressionOf, quotientOf, variablesOf } from "./factors.js";
import { indexAt } from "./iterate.js";
import { type Law, lawResult, type Refusal, type Rewrite, rewriteOf } from "./law.js";

/** Hoisting elementwise work out of a reduction, under a name of its own, so that other laws see it. */
export const nameTerms: Law = {
  name: "hoist elementwise work",
  statement: "op over r of f(x(r)) = op over r of t(r), where t(r) = f(x(r))",
  apply: cascade => lawResult(cascade.einsums.map(einsum => nameIn(cascade, einsum))),
};

function nameIn(cascade: Cascade, einsum: Einsum): Rewrite | Refusal | null {
  const { tensor, right, reductions } = einsum;
  const [only, another] = reductions;
  if (only === undefined || another !== undefined) return null;
  const extremum = only.op === "max" || only.op === "min";
  const { factors, divisors } = quotientOf(right);
  const at = factors.findIndex(factor => factor.kind === "unary" && factor.fn === "exp");
  const term: Expression | undefined = extremum ? right : factors[at];
  if (term === undefined || term.kind === "access" || term.kind === "number" || term.kind === "size") return null;
  const refuse = (reason: string): Refusal => ({ tensor, reason });
  if (einsum.iteration !== null) return refuse("it iterates");
  if (einsum.filters.length > 0) return refuse("a filter says over which points it is reduced");
  const variables = [...variablesOf(term)];
  if (!einsum.reduced.some(variable => variables.includes(variable))) return null;
  const name = freshName(cascade, tensor);
  const known = existing(cascade, einsum, term);
  const places = variables.map(variable => indexAt(variable, [], einsum));
  const access: Expression = known ?? {
    kind: "access",
    tensor: name,
    indices: places,
    bracketed: true,
    span: einsum.span,
  };
  const lines = [
    ...(known === null ? [`${formatAccess(name, places)} = ${formatExpression(term)}`] : []),
    withRight(
      einsum,
      extremum ? access : expressionOf({ factors: factors.map((factor, i) => (i === at ? access : factor)), divisors }),
    ),
  ];
  const words = `${formatExpression(term)} in ${tensor} as ${known?.tensor ?? name}`;
  return rewriteOf(tensor, words, () => replaceEinsums(cascade, new Map([[einsum, lines]])));
}

/** A tensor that holds the term already, on a line before. */
function existing(cascade: Cascade, einsum: Einsum, term: Expression) {
  const text = formatExpression(term);
  const found = cascade.einsums.find(
    other =>
      other.span.line < einsum.span.line &&
      other.reduced.length === 0 &&
      other.iteration === null &&
      other.filters.length === 0 &&
      other.annotation === null &&
      other.indices.every(index => plainVariable(index) !== undefined) &&
      formatExpression(other.right) === text,
  );
  if (found === undefined) return null;
  const { tensor, indices, span } = found;
  const covered = variablesOf(term);
  const same = indices.length === covered.size && accessesOf(term).length > 0;
  return same ? ({ kind: "access", tensor, indices, bracketed: true, span } as const) : null;
}
