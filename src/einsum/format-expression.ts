import type { Expression } from "./einsum.js";
import { formatRead } from "./format-einsum.js";
import { formatSize } from "./size.js";

/** How tightly an expression holds together: a sum, a product, anything else. */
const strength = (expression: Expression): number =>
  expression.kind === "binary" ? ({ "+": 1, "-": 1, "*": 2, "/": 2, max: 3, min: 3 } as const)[expression.op] : 3;

/** An expression as the language writes it. */
export function formatExpression(expression: Expression): string {
  const within = (part: Expression, least: number): string =>
    strength(part) < least ? `(${formatExpression(part)})` : formatExpression(part);
  switch (expression.kind) {
    case "number":
      return Number.isFinite(expression.value) ? String(expression.value) : expression.value < 0 ? "-inf" : "inf";
    case "size":
      return formatSize(expression.size);
    case "access":
      return formatRead(expression);
    case "unary": {
      const scale = expression.scale === undefined ? "" : `, ${formatExpression(expression.scale)}`;
      return `${expression.fn}(${formatExpression(expression.operand)}${scale})`;
    }
    case "binary": {
      const { op, left, right } = expression;
      if (op === "max" || op === "min") return `${op}(${formatExpression(left)}, ${formatExpression(right)})`;
      const own = strength(expression);
      // The language reads from the left, and rounded operations do not associate.
      return `${within(left, own)} ${op} ${within(right, own + 1)}`;
    }
  }
}
