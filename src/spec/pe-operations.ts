import { accessesOf, type Einsum, type Expression, type UnaryFunction } from "../einsum/einsum.js";
import { exp2CoefficientBits } from "../numerics/pe.js";
import type { Formula } from "./expression.js";

/** Multiply-accumulates of an exponential on a PE without a unit for it: one for each coefficient of its polynomial. */
export const exponentialMacs = exp2CoefficientBits.length;

/**
 * The operations that PEs do for one point of an Einsum, as its text and the arithmetic have it. A product takes a
 * multiply-accumulate, which adds as well: a sum of products, or a product plus a value, has no addition of its own. A
 * subtraction is an add, a minimum a max. An exponential is one `exp` where the array has that operation (beside a
 * `mac: 0`, what it would take without), else a multiply-accumulate for each coefficient. Signs and constants cost nothing.
 * @param has whether the array that does the Einsum has an operation
 */
export function peOperations(einsum: Einsum, has: (operation: string) => boolean): Readonly<Record<string, Formula>> {
  const counts = new Map<string, number>();
  const add = (operation: string, times = 1): void => {
    counts.set(operation, (counts.get(operation) ?? 0) + times);
  };
  /** Counts an expression; says whether it ends in a product, to which an addition comes for nothing. */
  const count = (at: Expression): boolean => {
    if (at.kind === "access" || accessesOf(at).length === 0 || at.kind === "number" || at.kind === "size") return false;
    if (at.kind === "unary") {
      count(at.operand);
      if (at.scale !== undefined) {
        count(at.scale);
        add("mac");
      }
      return countFunction(at.fn, add, has);
    }
    const products = [count(at.left), count(at.right)].some(isProduct => isProduct);
    if (at.op === "+" || at.op === "-") {
      if (!products) add("add");
    } else add(binaryOperations[at.op]);
    return at.op === "*";
  };
  const product = count(einsum.right);
  const formulas: Record<string, Formula> = {};
  const [first, ...later] = einsum.reductions;
  if (first !== undefined && !(first.op === "+" && product)) add(reductionOperations[first.op]);
  for (const [operation, times] of counts) formulas[operation] = times;
  // A later reduction is over the points that the ones before it leave.
  let reduced = [...(first?.variables ?? [])];
  for (const { op, variables } of later) {
    const share = `1 / (${reduced.map(variable => variable.toUpperCase()).join(" * ")})`;
    const operation = reductionOperations[op];
    const before = formulas[operation];
    formulas[operation] = before === undefined ? share : `${before} + ${share}`;
    reduced = [...reduced, ...variables];
  }
  return formulas;
}

const binaryOperations = { "*": "mac", "/": "divide", max: "max", min: "max" } as const;
const reductionOperations = { "+": "add", "*": "mac", max: "max", min: "max" } as const;

/** An operation of a function's own, where the array has one; else what it is made of. */
function countFunction(
  fn: UnaryFunction,
  add: (operation: string, times?: number) => void,
  has: (operation: string) => boolean,
): boolean {
  const exponential = (): void => {
    if (has("exp")) add("exp");
    add("mac", has("exp") ? 0 : exponentialMacs);
  };
  switch (fn) {
    case "exp":
      exponential();
      return false;
    case "square":
      add("mac");
      return true;
    case "relu":
      add("max");
      return false;
    case "recip":
      add("divide");
      return false;
    case "abs":
    case "neg":
      return false;
    case "sigmoid":
      if (has("sigmoid")) add("sigmoid");
      else {
        exponential();
        add("add");
        add("divide");
      }
      return false;
    default:
      add(fn);
      return false;
  }
}
