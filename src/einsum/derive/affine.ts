import type { Expression } from "../einsum.js";
import { formatExpression } from "../format-expression.js";
import { quotientOf } from "./factors.js";

/** What an expression changes by when a part of it changes: nothing, an amount, or what is not linear in it. */
export type Change = { readonly kind: "none" } | { readonly kind: "by"; readonly amount: Expression } | null;

const none: Change = { kind: "none" };
const by = (amount: Expression): Change => ({ kind: "by", amount });

/**
 * E(c) - E(b), where c is a part of the expression E and b another in its place: (b - c) * s for (a - c) * s. Null where the
 * expression is not linear in the part, so that the change is no multiple of c - b.
 */
export function changeOf(expression: Expression, c: Expression, b: Expression): Change {
  const text = formatExpression(c);
  const change = (part: Expression): Change => {
    if (formatExpression(part) === text) return by({ kind: "binary", op: "-", left: part, right: b });
    switch (part.kind) {
      case "number":
      case "size":
      case "access":
        return none;
      case "unary": {
        const own = change(part.operand);
        const inScale = part.scale === undefined ? none : change(part.scale);
        if (own?.kind === "none" && inScale?.kind === "none") return none;
        return part.fn === "neg" && own?.kind === "by" ? by(negative(own.amount)) : null;
      }
      case "binary": {
        const [left, right] = [change(part.left), change(part.right)];
        if (left === null || right === null) return null;
        if (left.kind === "none" && right.kind === "none") return none;
        if (part.op === "+" || part.op === "-") {
          if (right.kind === "none") return left;
          if (left.kind === "none") return by(part.op === "+" ? right.amount : negative(right.amount));
          return by({ ...part, left: left.amount, right: right.amount });
        }
        if (part.op === "*" && left.kind === "none" && right.kind === "by") return by({ ...part, right: right.amount });
        if ((part.op === "*" || part.op === "/") && left.kind === "by" && right.kind === "none")
          return by({ ...part, left: left.amount });
        return null;
      }
    }
  };
  return change(expression);
}

/** -e, by turning round a difference where there is one. */
function negative(expression: Expression): Expression {
  if (expression.kind === "binary") {
    const { op, left, right } = expression;
    if (op === "-") return { ...expression, left: right, right: left };
    if ((op === "*" || op === "/") && quotientOf(left).factors.some(isDifference))
      return { ...expression, left: negative(left) };
    if (op === "*" && isDifference(right)) return { ...expression, right: negative(right) };
  }
  return { kind: "unary", fn: "neg", operand: expression };
}

const isDifference = (expression: Expression): boolean => expression.kind === "binary" && expression.op === "-";

/** The expression with every part that reads as `from` replaced. */
export function substitute(expression: Expression, from: Expression, to: Expression): Expression {
  const text = formatExpression(from);
  const replaced = (part: Expression): Expression => {
    if (formatExpression(part) === text) return to;
    switch (part.kind) {
      case "unary": {
        const operand = replaced(part.operand);
        return part.scale === undefined ? { ...part, operand } : { ...part, operand, scale: replaced(part.scale) };
      }
      case "binary":
        return { ...part, left: replaced(part.left), right: replaced(part.right) };
      default:
        return part;
    }
  };
  return replaced(expression);
}
