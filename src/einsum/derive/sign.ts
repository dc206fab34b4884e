import type { Cascade } from "../cascade.js";
import type { Expression } from "../einsum.js";

/**
 * Whether no value of an expression can be negative, by what it is made of: an exponential, a square, a sum of such. A
 * tensor is not negative when what writes it is not; of an iteration, when its start is not and a step keeps it so.
 */
export function isNonNegative(cascade: Cascade, expression: Expression): boolean {
  const assumed = new Set<string>();
  const holds = (part: Expression): boolean => {
    switch (part.kind) {
      case "number":
        return part.value >= 0;
      case "size":
        return part.size.every(({ coefficient }) => coefficient > 0);
      case "access": {
        const { tensor } = part;
        if (assumed.has(tensor)) return true;
        const writers = cascade.einsums.filter(einsum => einsum.tensor === tensor);
        if (writers.length === 0) return false;
        assumed.add(tensor);
        if (writers.every(({ right }) => holds(right))) return true;
        assumed.delete(tensor);
        return false;
      }
      case "unary":
        if (part.fn === "recip") return holds(part.operand);
        return ["exp", "sqrt", "rsqrt", "abs", "sigmoid", "relu", "square"].includes(part.fn);
      case "binary":
        if (part.op === "max") return holds(part.left) || holds(part.right);
        return part.op !== "-" && holds(part.left) && holds(part.right);
    }
  };
  return holds(expression);
}
