import { InputError } from "../errors.js";
import type { ArithmeticSpec } from "../numerics/arithmetic.js";
import type { Cascade } from "./cascade.js";
import type { Einsum, Expression } from "./einsum.js";
import type { Roles } from "./roles.js";

/**
 * Whether a cascade uses its scaled inputs where scales have a meaning (docs/arithmetic.md): q and k in their product over E
 * alone, whose sum the scales multiply; v so that the output is linear in it, which v's scale multiplies.
 * @throws InputError that names the scaled input and the Einsum that uses it in another way
 */
export function requireScalable(cascade: Cascade, roles: Roles, { operands, name }: ArithmeticSpec): void {
  const refuse = (input: "q" | "k" | "v", { text, span }: Einsum, expected: string): InputError =>
    new InputError({
      where: `${cascade.name}:${span.line}`,
      got: `${text}, where ${input} has scales in arithmetic ${name}`,
      expected,
      fix: "take an arithmetic without scales, or FuseMax's own cascade",
    });
  const scaled = (["q", "k"] as const).find(input => operands[input].scale !== "none");
  if (scaled !== undefined) {
    const keys = copiesOf(cascade, roles.k);
    const other = cascade.einsums.find(
      einsum =>
        einsum.reads.some(({ tensor }) => tensor === roles.q || keys.has(tensor)) &&
        !keys.has(einsum.tensor) &&
        !isScore(cascade, roles, keys, einsum),
    );
    if (other !== undefined) throw refuse(scaled, other, `${roles.q} and ${roles.k} in their product over E alone`);
  }
  if (operands.v.scale === "none") return;
  const values = dependents(cascade, roles.v);
  const other = cascade.einsums.find(
    einsum =>
      (values.has(einsum.tensor) && !isLinear(einsum, values)) ||
      einsum.reads.some(({ tensor }) => tensor === roles.out),
  );
  if (other !== undefined) throw refuse("v", other, `${roles.out} linear in ${roles.v}, and read nowhere`);
}

/** A tensor and what holds it by other indices. */
export function copiesOf(cascade: Cascade, input: string): ReadonlySet<string> {
  const copies = new Set([input]);
  for (const { tensor, right, reductions, iteration, annotation } of cascade.einsums) {
    const isCopy = right.kind === "access" && reductions.length === 0 && iteration === null && annotation === null;
    if (isCopy && copies.has(right.tensor)) copies.add(tensor);
  }
  return copies;
}

function isScore({ ranks }: Cascade, { q, e }: Roles, keys: ReadonlySet<string>, einsum: Einsum): boolean {
  const { right, reductions } = einsum;
  const [only, more] = reductions;
  if (only?.op !== "+" || more !== undefined || right.kind !== "binary" || right.op !== "*") return false;
  if (only.variables.some(variable => ranks.ofVariable(variable).name !== e)) return false;
  const [a, b] = [right.left, right.right];
  if (a.kind !== "access" || b.kind !== "access") return false;
  return (a.tensor === q && keys.has(b.tensor)) || (b.tensor === q && keys.has(a.tensor));
}

/** A tensor and all that is computed of it. */
function dependents(cascade: Cascade, input: string): ReadonlySet<string> {
  const found = new Set([input]);
  for (let before = 0; before < found.size; ) {
    before = found.size;
    for (const { tensor, reads } of cascade.einsums) if (reads.some(read => found.has(read.tensor))) found.add(tensor);
  }
  return found;
}

function isLinear({ right, reductions, iteration }: Einsum, values: ReadonlySet<string>): boolean {
  if (iteration?.role === "init" && right.kind === "number") return right.value === 0;
  return degree(right, values) === 1 && reductions.every(({ op }) => op === "+");
}

/** 0 for what does not depend on the values, 1 for what is linear in them, null for any other dependence. */
function degree(expression: Expression, values: ReadonlySet<string>): 0 | 1 | null {
  switch (expression.kind) {
    case "access":
      return values.has(expression.tensor) ? 1 : 0;
    case "unary": {
      const of = degree(expression.operand, values);
      return expression.fn === "neg" || of === 0 ? of : null;
    }
    case "binary": {
      const [a, b] = [degree(expression.left, values), degree(expression.right, values)];
      if (a === 0 && b === 0) return 0;
      if (a === null || b === null) return null;
      if (expression.op === "*") return a + b === 1 ? 1 : null;
      if (expression.op === "/") return b === 0 ? a : null;
      return (expression.op === "+" || expression.op === "-") && a === b ? a : null;
    }
    default:
      return 0;
  }
}
