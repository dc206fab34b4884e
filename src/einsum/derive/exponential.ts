import type { Access, Expression } from "../einsum.js";
import { expressionOf, quotientOf } from "./factors.js";

type Exponential = Extract<Expression, { kind: "unary" }>;

/** exp(s * (from - to)): its difference, and the exponential of another. */
export interface ExponentialOfDifference {
  readonly from: Expression;
  readonly to: Access;
  /** What the difference is multiplied and divided by, the scale of the exponential included. */
  readonly scales: readonly Expression[];
  with(from: Expression, to: Expression): Exponential;
}

/**
 * An expression as the exponential of a difference from a tensor, perhaps scaled: exp(a - c), exp((a - c) / t),
 * exp(s * (a - c)). exp is a homomorphism from sums to products: f(a - c) = f(a - b) * f(b - c), for whatever b. Null for anything else.
 */
export function exponentialOf(expression: Expression): ExponentialOfDifference | null {
  if (expression.kind !== "unary" || expression.fn !== "exp") return null;
  const { factors, divisors } = quotientOf(expression.operand);
  const at = factors.findIndex(isDifference);
  const difference = factors[at];
  if (difference === undefined || !isDifference(difference)) return null;
  const others = factors.filter((_, i) => i !== at);
  return {
    from: difference.left,
    to: difference.right,
    scales: [...others, ...divisors, ...(expression.scale === undefined ? [] : [expression.scale])],
    with(from, to) {
      const changed: Expression = { kind: "binary", op: "-", left: from, right: to };
      const all = factors.map((factor, i) => (i === at ? changed : factor));
      return { ...expression, operand: expressionOf({ factors: all, divisors }) };
    },
  };
}

interface DifferenceFrom {
  readonly kind: "binary";
  readonly op: "-";
  readonly left: Expression;
  readonly right: Access;
}

const isDifference = (expression: Expression): expression is DifferenceFrom =>
  expression.kind === "binary" && expression.op === "-" && expression.right.kind === "access";
