import type { Cascade } from "../cascade.js";
import { type Access, accessesOf, type Einsum, type Expression, type Index, plainVariable } from "../einsum.js";
import { isNonNegative } from "./sign.js";

/** An expression as a product of factors over a product of divisors. */
export interface Quotient {
  readonly factors: readonly Expression[];
  readonly divisors: readonly Expression[];
}

/** The factors of an expression, twice those of what is squared; one that is no product or quotient is a factor itself. */
export function quotientOf(expression: Expression): Quotient {
  if (expression.kind === "unary" && expression.fn === "square") {
    const { factors, divisors } = quotientOf(expression.operand);
    return { factors: [...factors, ...factors], divisors: [...divisors, ...divisors] };
  }
  if (expression.kind === "unary" && expression.fn === "recip") {
    const { factors, divisors } = quotientOf(expression.operand);
    return { factors: divisors, divisors: factors };
  }
  if (expression.kind !== "binary" || (expression.op !== "*" && expression.op !== "/")) {
    return { factors: [expression], divisors: [] };
  }
  const [left, right] = [quotientOf(expression.left), quotientOf(expression.right)];
  const [over, under] = expression.op === "*" ? [right.factors, right.divisors] : [right.divisors, right.factors];
  return { factors: [...left.factors, ...over], divisors: [...left.divisors, ...under] };
}

/** The expression again: all factors multiplied, then divided by each divisor. */
export function expressionOf({ factors, divisors }: Quotient): Expression {
  const [first = { kind: "number", value: 1 } as const, ...rest] = factors;
  const product = rest.reduce<Expression>((left, right) => ({ kind: "binary", op: "*", left, right }), first);
  return divisors.reduce<Expression>((left, right) => ({ kind: "binary", op: "/", left, right }), product);
}

/** Every rank variable in an expression. */
export const variablesOf = (expression: Expression): ReadonlySet<string> =>
  new Set(accessesOf(expression).flatMap(({ indices }) => indices.flatMap(({ terms }) => terms.map(t => t.variable))));

/** The expression with every access replaced. */
export function mapAccesses(expression: Expression, by: (access: Access) => Expression): Expression {
  switch (expression.kind) {
    case "access":
      return by(expression);
    case "unary": {
      const { scale } = expression;
      const operand = mapAccesses(expression.operand, by);
      return scale === undefined
        ? { ...expression, operand }
        : { ...expression, operand, scale: mapAccesses(scale, by) };
    }
    case "binary":
      return { ...expression, left: mapAccesses(expression.left, by), right: mapAccesses(expression.right, by) };
    default:
      return expression;
  }
}

/** The expression with variables renamed. */
export const rename = (expression: Expression, names: ReadonlyMap<string, string>): Expression =>
  mapAccesses(expression, access => ({ ...access, indices: access.indices.map(index => renameIndex(index, names)) }));

const renameIndex = (index: Index, names: ReadonlyMap<string, string>): Index => ({
  ...index,
  terms: index.terms.map(term => ({ ...term, variable: names.get(term.variable) ?? term.variable })),
});

/**
 * What an access stands for at its point, where its tensor is made element by element: the right-hand side of its Einsum
 * with the variables of the access. Null for a tensor that is reduced, iterates, is filtered, rounded or broadcast.
 */
export function inlined(access: Access, writer: Einsum | undefined): Expression | null {
  if (writer === undefined || writer.iteration !== null || writer.annotation !== null) return null;
  if (writer.reduced.length > 0 || writer.filters.length > 0) return null;
  const [own, read] = [writer.indices.map(plainVariable), access.indices.map(plainVariable)];
  const names = new Map<string, string>();
  for (const [place, variable] of own.entries()) {
    const other = read[place];
    if (variable === undefined || other === undefined || names.has(variable)) return null;
    names.set(variable, other);
  }
  return rename(writer.right, names);
}

/** What an expression that is an access stands for, as `inlined` says; null for any other. */
export const bodyOf = (cascade: Cascade, part: Expression): Expression | null =>
  part.kind === "access" ? inlined(part, writerOf(cascade, part.tensor)) : null;

/** The Einsum that writes a tensor; undefined for an input. */
export function writerOf(cascade: Cascade, tensor: string): Einsum | undefined {
  const writer = cascade.tensors.get(tensor)?.writer ?? null;
  return writer === null ? undefined : cascade.einsums[writer];
}

/**
 * The factors of |x * y|, which is |x| * |y|, and of a root of what is not negative: both are homomorphisms of products. Null for anything
 * else, and where there is but one factor.
 */
function powerOf(cascade: Cascade, expression: Expression, open: (whole: Quotient) => Quotient): Quotient | null {
  if (expression.kind !== "unary" || !["abs", "sqrt", "rsqrt"].includes(expression.fn)) return null;
  const { fn, operand } = expression;
  const { factors, divisors } = open(quotientOf(operand));
  if (factors.length + divisors.length < 2) return null;
  const all = [...factors, ...divisors];
  if (fn !== "abs" && !all.every(part => isNonNegative(cascade, part))) return null;
  const power = (part: Expression): Expression =>
    fn === "abs" && isNonNegative(cascade, part)
      ? part
      : { kind: "unary", fn: fn === "abs" ? "abs" : "sqrt", operand: part };
  const [over, under] = [factors.map(power), divisors.map(power)];
  return fn === "rsqrt" ? { factors: under, divisors: over } : { factors: over, divisors: under };
}

/** The factors of an expression; those that are made element by element as what they are made of, all the way. */
export function opened(cascade: Cascade, right: Expression): Quotient {
  const open = (expression: Expression): Quotient => {
    const inside = bodyOf(cascade, expression);
    if (inside === null) return powerOf(cascade, expression, openAll) ?? { factors: [expression], divisors: [] };
    const whole = quotientOf(inside);
    // Only products are worth opening: anything else stays the tensor that it was.
    const isProduct = whole.factors.length !== 1 || whole.divisors.length > 0;
    return isProduct ? openAll(whole) : { factors: [expression], divisors: [] };
  };
  const openAll = (whole: Quotient): Quotient => {
    const [over, under] = [whole.factors.map(open), whole.divisors.map(open)];
    return {
      factors: [...over.flatMap(part => part.factors), ...under.flatMap(part => part.divisors)],
      divisors: [...over.flatMap(part => part.divisors), ...under.flatMap(part => part.factors)],
    };
  };
  return openAll(quotientOf(right));
}
