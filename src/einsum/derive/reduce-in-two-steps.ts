import type { Cascade } from "../cascade.js";
import type { Einsum, Index } from "../einsum.js";
import { formatAccess } from "../format-einsum.js";
import { formatExpression } from "../format-expression.js";
import { oneSize, zeroSize } from "../size.js";
import { splitOf } from "../split.js";
import { freshName, replaceEinsums } from "./edit.js";
import { type Law, lawResult, type Refusal, type Rewrite, rewriteOf } from "./law.js";

/**
 * Reducing in two steps, first within each tile and then over the tiles: sums, products, maxima and minima are
 * associative and commutative (commutative monoids), so that the order does not matter but for rounding.
 */
export const reduceInTwoSteps: Law = {
  name: "reduce in two steps",
  statement: "op over (r, s) of x(r, s) = op over r of (op over s of x(r, s)), for +, *, max and min",
  apply: cascade => lawResult(cascade.einsums.flatMap(einsum => splitsOf(cascade, einsum))),
};

/** One rewrite for each split rank over all parts of which an Einsum reduces. */
function splitsOf(cascade: Cascade, einsum: Einsum): (Rewrite | Refusal)[] {
  const variableOf = (part: string): string | undefined =>
    einsum.reduced.find(variable => cascade.ranks.ofVariable(variable).name === part);
  return cascade.ranks.ranks.flatMap(rank => {
    const [outer, ...others] = splitOf(cascade, rank).map(variableOf);
    if (outer === undefined || others.length === 0 || others.includes(undefined)) return [];
    return [inTwoSteps(cascade, einsum, outer)];
  });
}

function inTwoSteps(cascade: Cascade, einsum: Einsum, outer: string): Rewrite | Refusal {
  const { tensor, indices, right, reductions, span } = einsum;
  const refuse = (reason: string): Refusal => ({ tensor, reason });
  if (einsum.iteration !== null) return refuse("it iterates");
  if (einsum.filters.length > 0) return refuse("a filter says over which points it is reduced");
  const [only, another] = reductions;
  if (only === undefined || another !== undefined) return refuse("it is reduced in several steps already");
  const inner = only.variables.filter(variable => variable !== outer);
  const local = freshName(cascade, tensor);
  const tiles: Index = { terms: [{ variable: outer, coefficient: oneSize }], offset: zeroSize, span };
  const written = formatAccess(local, [tiles, ...indices]);
  const annotation = einsum.annotation === null ? "" : ` @${einsum.annotation}`;
  const lines = [
    `${written} = ${formatExpression(right)} :: ${only.op}(${inner.join(", ")})`,
    `${formatAccess(tensor, indices)} = ${written} :: ${only.op}(${outer})${annotation}`,
  ];
  const words = `${tensor} within each ${outer}, then over ${outer}`;
  return rewriteOf(tensor, words, () => replaceEinsums(cascade, new Map([[einsum, lines]])));
}
