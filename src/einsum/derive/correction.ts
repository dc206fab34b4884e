import type { Cascade } from "../cascade.js";
import { type Access, accessesOf, type Einsum, type Expression, type Index, plainVariable } from "../einsum.js";
import { formatAccess } from "../format-einsum.js";
import { formatExpression } from "../format-expression.js";
import { iterativeRead, type Tensor } from "../tensors.js";
import { substitute } from "./affine.js";
import { runningOf } from "./change-reference.js";
import { exponentialOf, isOne } from "./exponential.js";
import { bodyOf, quotientOf, rename, variablesOf } from "./factors.js";
import { indexAt } from "./iterate.js";
import { isNonNegative } from "./sign.js";

/**
 * What a factor of a sum's terms says of a value b that iterates: h(b[end]). A running sum follows it, since h is a homomorphism:
 * what was right for one step is right for the next after h(b[r+1]) / h(b[r]).
 */
export interface Correction {
  /** What an iteration leaves, b[end]. */
  readonly end: Access;
  /** The factor with b[r+1] in its place; null where that is 1, as for exp(b[r+1] - b[end]). */
  readonly now: Expression | null;
  /** h(b[r+1]) over h(b[r]). */
  readonly factors: readonly Expression[];
  readonly divisors: readonly Expression[];
}

/** A factor as h(b[end]), or what makes it element by element; null where it is none. */
export function correctionOf(
  cascade: Cascade,
  factor: Expression,
  einsum: Einsum,
  variable: string,
): Correction | null {
  const inside = bodyOf(cascade, factor);
  const whole = inside ?? factor;
  for (const end of accessesOf(whole)) {
    const now = runningOf(cascade, end, einsum);
    const tensor = cascade.tensors.get(end.tensor);
    if (now === null || tensor?.iterative?.variable !== variable) continue;
    const before = atTurn(tensor, end, indexAt(variable, [], einsum));
    const found = ofExponential(cascade, whole, { end, now, before }) ?? ofPower(cascade, whole, { end, now, before });
    if (found !== null) return found;
  }
  return null;
}

/** What an iteration leaves, what it has after a step, and before. */
interface Turns {
  readonly end: Access;
  readonly now: Access;
  readonly before: Access;
}

const atTurn = ({ iterative }: Tensor, access: Access, turn: Access["indices"][number]): Access => ({
  ...access,
  indices: access.indices.map((index, i) => (i === iterative?.position ? turn : index)),
});

/** exp(E) where E comes to nothing in the last step. */
function ofExponential(cascade: Cascade, whole: Expression, { end, now, before }: Turns): Correction | null {
  const exponential = exponentialOf(whole);
  const tensor = cascade.tensors.get(end.tensor);
  if (exponential === null || whole.kind !== "unary" || tensor === undefined) return null;
  const read = accessesOf(whole).some(
    access => access.tensor === end.tensor && iterativeRead(tensor, access) === "current",
  );
  if (!read || exponential.correction(end, now) === null || !isOne(exponential.against(end, now))) return null;
  const step = added(cascade, tensor, now);
  const change = substitute(substitute(whole, now, before), end, now);
  return { end, now: null, factors: [step === null ? change : withStep(change, before, now, step)], divisors: [] };
}

/** Replaces b[r+1] - b[r], the other way round too, by what a step adds. */
function withStep(change: Expression, before: Access, now: Access, step: Expression): Expression {
  const difference = (left: Access, right: Access): Expression => ({ kind: "binary", op: "-", left, right });
  const back = substitute(change, difference(before, now), { kind: "unary", fn: "neg", operand: step });
  return substitute(back, difference(now, before), step);
}

const powers: readonly string[] = ["sqrt", "rsqrt", "abs", "square", "recip"];

/** b[end] itself, or a power of it. */
function ofPower(cascade: Cascade, whole: Expression, { end, now, before }: Turns): Correction | null {
  const isPower = (part: Expression): boolean =>
    part.kind === "unary" && powers.includes(part.fn)
      ? isPower(part.operand)
      : formatExpression(part) === formatExpression(end);
  if (!isPower(whole)) return null;
  const tensor = cascade.tensors.get(end.tensor);
  const step = tensor === undefined ? null : multiplied(cascade, tensor, now);
  const current = substitute(whole, end, now);
  return step === null
    ? { end, now: current, factors: [current], divisors: [substitute(whole, end, before)] }
    : { end, now: current, factors: [substitute(whole, end, step)], divisors: [] };
}

/** What a step adds to a tensor: x where b[r+1] = b[r] + x. */
const added = (cascade: Cascade, tensor: Tensor, now: Access): Expression | null =>
  stepOf(cascade, tensor, now, (right, carried) => {
    if (right.kind !== "binary" || right.op !== "+") return null;
    if (carried(right.left)) return right.right;
    return carried(right.right) ? right.left : null;
  });

/** What a step multiplies a tensor by: x where b[r+1] = b[r] * x. */
const multiplied = (cascade: Cascade, tensor: Tensor, now: Access): Expression | null =>
  stepOf(cascade, tensor, now, (right, carried) => {
    const { factors, divisors } = quotientOf(right);
    const at = factors.findIndex(carried);
    const [other, another] = factors.filter((_, i) => i !== at);
    return at === -1 || other === undefined || another !== undefined || divisors.length > 0 ? null : other;
  });

function stepOf(
  cascade: Cascade,
  tensor: Tensor,
  now: Access,
  find: (right: Expression, carried: (part: Expression) => boolean) => Expression | null,
): Expression | null {
  const einsum = tensor.writer === null ? undefined : cascade.einsums[tensor.writer];
  if (einsum === undefined || einsum.reduced.length > 0 || einsum.filters.length > 0 || einsum.annotation !== null)
    return null;
  // Its own element of the step before: P[m,0] is another one of P[m+1,p].
  const placeOf = (indices: readonly Index[]): string =>
    formatAccess(
      "",
      indices.filter((_, i) => i !== tensor.iterative?.position),
    );
  const carried = (part: Expression): boolean =>
    part.kind === "access" &&
    part.tensor === tensor.name &&
    iterativeRead(tensor, part) === "carried" &&
    placeOf(part.indices) === placeOf(einsum.indices);
  const step = find(einsum.right, carried);
  if (step === null || accessesOf(step).some(access => access.tensor === tensor.name)) return null;
  const names = new Map<string, string>();
  for (const [place, index] of einsum.indices.entries()) {
    if (place === tensor.iterative?.position) continue;
    const [own, read] = [plainVariable(index), now.indices[place] && plainVariable(now.indices[place])];
    if (own === undefined || read === undefined) return null;
    names.set(own, read);
  }
  return [...variablesOf(step)].every(name => names.has(name) || name === tensor.iterative?.variable)
    ? rename(step, names)
    : null;
}

/** Whether a correction divides by what may be zero on the way. */
export const mayDivideByZero = (cascade: Cascade, { divisors }: Correction): boolean =>
  divisors.some(divisor => !isNonNegative(cascade, divisor));
