import type { Cascade } from "../cascade.js";
import { type Access, type Einsum, type Expression, plainVariable } from "../einsum.js";
import { formatAccess } from "../format-einsum.js";
import { formatExpression } from "../format-expression.js";
import { freshName, replaceEinsums } from "./edit.js";
import { rename } from "./factors.js";
import type { Law, Refusal, Rewrite } from "./law.js";

/**
 * A local extremum in the place of the global one, and a correction factor: exp is a homomorphism from sums to products,
 * so that exponentials may be taken against what is known of a tile and corrected once all tiles are known.
 */
export const changeReference: Law = {
  name: "change the reference of an exponential",
  statement: "exp(a - c) = exp(a - b) * exp(b - c), where c is the maximum of b over some ranks",
  apply(cascade) {
    const results = cascade.einsums.map(einsum => changeIn(cascade, einsum)).filter(result => result !== null);
    return {
      rewrites: results.filter(result => "cascade" in result),
      refusals: results.filter(result => "reason" in result),
    };
  },
};

/** Null for an Einsum that is no exponential of a difference from a maximum. */
function changeIn(cascade: Cascade, einsum: Einsum): Rewrite | Refusal | null {
  const { tensor, right, indices } = einsum;
  if (right.kind !== "unary" || right.fn !== "exp") return null;
  const { operand } = right;
  if (operand.kind !== "binary" || operand.op !== "-" || operand.right.kind !== "access") return null;
  const global = operand.right;
  const local = localOf(cascade, global);
  if (local === null) return null;
  const refuse = (reason: string): Refusal => ({ tensor, reason });
  if (einsum.iteration !== null || einsum.filters.length > 0)
    return refuse("it iterates or a filter says over which points it runs");
  if (einsum.reduced.length > 0) return refuse("it is reduced: only elementwise work can be taken apart");
  const missing = local.indices
    .map(plainVariable)
    .find(variable => variable === undefined || !einsum.free.includes(variable));
  if (missing !== undefined)
    return refuse(`it does not run over ${missing}, by tiles of which ${local.tensor} is known`);
  const exponential = (from: Expression, reference: Expression): Expression => ({
    ...right,
    operand: { kind: "binary", op: "-", left: from, right: reference },
  });
  const relative = freshName(cascade, tensor);
  const factor = freshName(cascade, global.tensor, [relative]);
  const annotation = einsum.annotation === null ? "" : ` @${einsum.annotation}`;
  const lines = [
    `${formatAccess(relative, indices)} = ${formatExpression(exponential(operand.left, local))}`,
    `${formatAccess(factor, local.indices)} = ${formatExpression(exponential(local, global))}`,
    `${formatAccess(tensor, indices)} = ${formatAccess(relative, indices)} * ${formatAccess(factor, local.indices)}${annotation}`,
  ];
  const words = `${tensor} against ${formatAccess(local.tensor, local.indices)}, corrected for ${global.tensor}`;
  return { tensor, words, cascade: replaceEinsums(cascade, new Map([[einsum, lines]])) };
}

/** What a tensor is the maximum of, with the variables of an access to it; null where it is none. */
function localOf(cascade: Cascade, access: Access): Access | null {
  const writer = cascade.tensors.get(access.tensor)?.writer ?? null;
  const einsum = writer === null ? undefined : cascade.einsums[writer];
  if (einsum === undefined || einsum.iteration !== null || einsum.filters.length > 0) return null;
  const [only, another] = einsum.reductions;
  if (only?.op !== "max" || another !== undefined || einsum.right.kind !== "access" || einsum.annotation !== null)
    return null;
  const names = new Map<string, string>();
  for (const [place, index] of einsum.indices.entries()) {
    const [own, read] = [plainVariable(index), access.indices[place] && plainVariable(access.indices[place])];
    if (own === undefined || read === undefined) return null;
    names.set(own, read);
  }
  const local = rename(einsum.right, names);
  return local.kind === "access" && cascade.tensors.get(local.tensor)?.writer !== null ? local : null;
}
