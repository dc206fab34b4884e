import type { Cascade } from "../cascade.js";
import { type Access, accessesOf, type Einsum, type Expression, plainVariable } from "../einsum.js";
import { formatAccess, formatRead } from "../format-einsum.js";
import { formatExpression } from "../format-expression.js";
import { numberSize } from "../size.js";
import { iterativeRead } from "../tensors.js";
import { freshName, replaceEinsums } from "./edit.js";
import { exponentialOf, isOne } from "./exponential.js";
import { rename, variablesOf, writerOf } from "./factors.js";
import { indexAt } from "./iterate.js";
import { familyOf } from "./late.js";
import { type Law, lawResult, type Refusal, type Rewrite, rewriteOf } from "./law.js";

/**
 * A local extremum, or a running one, in the place of the global one, and a correction factor: exp is a homomorphism from sums to
 * products, so that exponentials may be taken against what is known and corrected once all is known.
 */
export const changeReference: Law = {
  name: "change the reference of an exponential",
  statement: "exp(a - c) = exp(a - b) * exp(b - c), where c is the extremum of b over some ranks, or what b leaves",
  apply: cascade => lawResult(cascade.einsums.map(einsum => changeIn(cascade, einsum))),
};

/** The first reference that can be changed, else why not; null for an Einsum that is no exponential against an extremum. */
function changeIn(cascade: Cascade, einsum: Einsum): Rewrite | Refusal | null {
  if (exponentialOf(einsum.right) === null) return null;
  const found = accessesOf(einsum.right).map(global => changeFrom(cascade, einsum, global));
  return found.find(result => result !== null && "words" in result) ?? found.find(result => result !== null) ?? null;
}

function changeFrom(cascade: Cascade, einsum: Einsum, global: Access): Rewrite | Refusal | null {
  const { tensor, right, indices } = einsum;
  const exponential = exponentialOf(right);
  const running = runningOf(cascade, global, einsum);
  const local = running ?? localOf(cascade, global);
  if (exponential === null || local === null) return null;
  const relative = exponential.against(global, local);
  const correction = exponential.correction(global, local);
  // A correction factor is taken against it already.
  if (correction !== null && isOne(relative)) return null;
  const refuse = (reason: string): Refusal => ({ tensor, reason });
  if (correction === null) return refuse(`its exponent is not linear in ${formatRead(global)}`);
  if (einsum.iteration !== null || einsum.filters.length > 0)
    return refuse("it iterates or a filter says over which points it runs");
  if (einsum.reduced.length > 0) return refuse("it is reduced: only elementwise work can be taken apart");
  const known = [...variablesOf(local)];
  const missing = known.find(variable => !einsum.free.includes(variable));
  if (missing !== undefined) return refuse(`it does not run over ${missing}, by which ${local.tensor} is known`);
  const others = [...variablesOf(correction)].filter(variable => !known.includes(variable));
  const family = familyOf(cascade, known);
  const scaled = others.find(variable => family.has(cascade.ranks.ofVariable(variable).name));
  if (scaled !== undefined)
    return refuse(`what scales the exponent varies over ${scaled}, over which the factor would not`);
  const name = freshName(cascade, tensor);
  const factor = freshName(cascade, global.tensor, [name]);
  const annotation = einsum.annotation === null ? "" : ` @${einsum.annotation}`;
  // Against a running maximum it is at most 1 from the start, and is stored as an operand.
  const stored = running === null ? "" : " @operand";
  const places = [...known, ...others].map(variable => indexAt(variable, [], einsum));
  const lines = [
    `${formatAccess(name, indices)} = ${formatExpression(relative)}${stored}`,
    `${formatAccess(factor, places)} = ${formatExpression(correction)}`,
    `${formatAccess(tensor, indices)} = ${formatAccess(name, indices)} * ${formatAccess(factor, places)}${annotation}`,
  ];
  const words = `${tensor} against ${formatRead(local)}, corrected for ${formatRead(global)}`;
  return rewriteOf(tensor, words, () => replaceEinsums(cascade, new Map([[einsum, lines]])));
}

/** What an iteration has after this step, for an access to what it leaves in the end; null for any other access. */
export function runningOf(cascade: Cascade, access: Access, at: Einsum): Access | null {
  const tensor = cascade.tensors.get(access.tensor);
  if (tensor === undefined || tensor.iterative === null || iterativeRead(tensor, access) !== "last") return null;
  const { position, variable } = tensor.iterative;
  const turn = indexAt(variable, numberSize(1), at);
  return { ...access, indices: access.indices.map((index, i) => (i === position ? turn : index)) };
}

/** What a tensor is the extremum of, with the variables of an access to it; null where it is none. */
function localOf(cascade: Cascade, access: Access): Access | null {
  const einsum = writerOf(cascade, access.tensor);
  if (einsum === undefined || einsum.iteration !== null || einsum.filters.length > 0) return null;
  const [only, another] = einsum.reductions;
  if (only === undefined || another !== undefined || (only.op !== "max" && only.op !== "min")) return null;
  if (einsum.right.kind !== "access" || einsum.annotation !== null) return null;
  const names = new Map<string, string>();
  for (const [place, index] of einsum.indices.entries()) {
    const [own, read] = [plainVariable(index), access.indices[place] && plainVariable(access.indices[place])];
    if (own === undefined || read === undefined) return null;
    names.set(own, read);
  }
  const local: Expression = rename(einsum.right, names);
  // Of an input, or of what is made of every element, nothing is known sooner.
  if (local.kind !== "access" || local.indices.some(index => plainVariable(index) === undefined)) return null;
  return cascade.tensors.get(local.tensor)?.writer === null ? null : local;
}
