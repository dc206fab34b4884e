import type { Access, Expression } from "../einsum.js";
import { changeOf, substitute } from "./affine.js";
import { expand, noAlgebra } from "./normal-form.js";

type Exponential = Extract<Expression, { kind: "unary" }>;

/**
 * exp(E), where E is linear in some values. exp is a homomorphism from sums to products, so that exp(E(c)) is
 * exp(E(b)) * exp(s * (c - b)) for whatever b, where s is the slope of E in c.
 */
export interface LinearExponential {
  /** exp(E(b)): the same with another value in the place of c. */
  against(c: Access, b: Access): Exponential;
  /** exp(E(c) - E(b)); null where E is not linear in c, or does not read it. */
  correction(c: Access, b: Access): Exponential | null;
}

/** Null for what is no exponential. */
export function exponentialOf(expression: Expression): LinearExponential | null {
  if (expression.kind !== "unary" || expression.fn !== "exp") return null;
  return {
    against: (c, b) => ({ ...expression, operand: substitute(expression.operand, c, b) }),
    correction(c, b) {
      if (expression.scale !== undefined && changeOf(expression.scale, c, b)?.kind !== "none") return null;
      const change = changeOf(expression.operand, c, b);
      return change?.kind === "by" ? { ...expression, operand: change.amount } : null;
    },
  };
}

/** Whether an exponential is 1 whatever its values: its exponent comes to nothing. */
export function isOne(expression: Exponential): boolean {
  return expand(expression.operand, noAlgebra).length === 0;
}
