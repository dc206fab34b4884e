import type { Cascade } from "../cascade.js";
import type { Einsum, Expression } from "../einsum.js";
import { formatAccess } from "../format-einsum.js";
import { formatExpression } from "../format-expression.js";
import { freshName, replaceEinsums, withoutUnused } from "./edit.js";
import { bodyOf, variablesOf } from "./factors.js";
import { type Law, lawResult, type Refusal, type Rewrite, rewriteOf } from "./law.js";
import { isNonNegative } from "./sign.js";

/**
 * Monotone work past an extremum: a rising function is a homomorphism of maxima, a falling one turns maxima into minima. So shifts,
 * factors that are not negative and functions such as exp wait until the extremum is known.
 */
export const deferPastExtremum: Law = {
  name: "defer monotone work past an extremum",
  statement: "max over r of f(x(r)) = f(max over r of x(r)) for a rising f, f(min over r of x(r)) for a falling one",
  apply: cascade => lawResult(cascade.einsums.map(einsum => deferIn(cascade, einsum))),
};

/** What is left inside, whether what was peeled off falls, and how it is put back. */
interface Peeled {
  readonly inside: Expression;
  readonly falls: boolean;
  readonly wrap: (inside: Expression) => Expression;
}

/** Null for an Einsum that is no extremum of monotone work. */
function deferIn(cascade: Cascade, einsum: Einsum): Rewrite | Refusal | null {
  const { tensor, reductions, reduced, indices } = einsum;
  const [only, another] = reductions;
  if (only === undefined || another !== undefined || (only.op !== "max" && only.op !== "min")) return null;
  const varies = (part: Expression): boolean => reduced.some(variable => variablesOf(part).has(variable));
  const start = bodyOf(cascade, einsum.right);
  const { inside, falls, wrap } = peel(cascade, start ?? einsum.right, varies);
  const refuse = (reason: string): Refusal => ({ tensor, reason });
  if (inside === (start ?? einsum.right)) return null;
  if (einsum.iteration !== null || einsum.filters.length > 0)
    return refuse("it iterates or a filter says over which points it is reduced");
  const kept = variablesOf(inside);
  const missing = reduced.find(variable => !kept.has(variable));
  if (missing !== undefined) return refuse(`nothing that varies over ${missing} would be left in the extremum over it`);
  const name = freshName(cascade, tensor);
  const free = indices.filter(index => index.terms.every(({ variable }) => kept.has(variable)));
  const op = falls ? (only.op === "max" ? "min" : "max") : only.op;
  const read: Expression = {
    kind: "access",
    tensor: name,
    indices: free,
    bracketed: true,
    span: einsum.span,
  };
  const annotation = einsum.annotation === null ? "" : ` @${einsum.annotation}`;
  const lines = [
    `${formatAccess(name, free)} = ${formatExpression(inside)} :: ${op}(${reduced.join(", ")})`,
    `${formatAccess(tensor, indices)} = ${formatExpression(wrap(read))}${annotation}`,
  ];
  const words = `${tensor} as ${formatExpression(wrap(read))}, with ${name} the ${op} over ${reduced.join(", ")} of ${formatExpression(inside)}`;
  return rewriteOf(tensor, words, () =>
    withoutUnused(replaceEinsums(cascade, new Map([[einsum, lines]])), cascade.outputs),
  );
}

const rising: readonly string[] = ["exp", "log", "sqrt", "sigmoid", "tanh", "relu"];

/** Takes monotone work off an expression from the outside. */
function peel(cascade: Cascade, expression: Expression, varies: (part: Expression) => boolean): Peeled {
  const done: Peeled = { inside: expression, falls: false, wrap: inside => inside };
  const further = (part: Expression, turns: boolean, rebuild: (inside: Expression) => Expression): Peeled => {
    const { inside, falls, wrap } = peel(cascade, part, varies);
    return { inside, falls: falls !== turns, wrap: own => rebuild(wrap(own)) };
  };
  if (expression.kind === "unary") {
    const { fn, scale, operand } = expression;
    if (scale !== undefined && (varies(scale) || !isNonNegative(cascade, scale))) return done;
    const rebuild = (inside: Expression): Expression => ({ ...expression, operand: inside });
    if (rising.includes(fn)) return further(operand, false, rebuild);
    if (fn === "square" && isNonNegative(cascade, operand)) return further(operand, false, rebuild);
    return fn === "neg" ? further(operand, true, rebuild) : done;
  }
  if (expression.kind !== "binary") return done;
  const { op, left, right } = expression;
  if (varies(left) && varies(right)) return done;
  const inLeft = varies(left);
  const fixed = inLeft ? right : left;
  const rebuild = (inside: Expression): Expression =>
    inLeft ? { ...expression, left: inside } : { ...expression, right: inside };
  const part = inLeft ? left : right;
  if (op === "+" || op === "max" || op === "min") return further(part, false, rebuild);
  if (op === "-") return further(part, !inLeft, rebuild);
  if (!isNonNegative(cascade, fixed)) return done;
  return op === "*" || inLeft ? further(part, false, rebuild) : done;
}
