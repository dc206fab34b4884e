import type { FloatSpec } from "../numerics/number-type.js";
import type { Statement } from "./program.js";
import { type BinaryPrimitive, partsOf, type Scalar } from "./scalar.js";
import type { Dialect } from "./text.js";
import { wgslFloat } from "./wgsl-number-type.js";

const operators: Readonly<Record<BinaryPrimitive, (a: string, b: string) => string>> = {
  add: (a, b) => `(${a} + ${b})`,
  sub: (a, b) => `(${a} - ${b})`,
  // Pinned, or a compiler could fuse it with what it is added to.
  mul: (a, b) => `pin(${a} * ${b})`,
  div: (a, b) => `quotient(${a}, ${b})`,
  divShort: (a, b) => `shortQuotient(${a}, ${b})`,
  max: (a, b) => `max(${a}, ${b})`,
  min: (a, b) => `min(${a}, ${b})`,
};

/** Primitives as WGSL; `named` are numbers that the host gives, so that one text serves them all. */
export const wgslDialect = (named: ReadonlyMap<number, string>, rounderOf: (type: FloatSpec) => string): Dialect => ({
  number: value => named.get(value) ?? wgslFloat(value),
  binary: (op, a, b) => operators[op](a, b),
  unary: (op, a) => (op === "binade" ? `bitcast<f32>(bitcast<u32>(${a}) & 0x7f800000u)` : `${op}(${a})`),
  round: (type, a) => `${rounderOf(type)}(${a})`,
  multiplyAdd: (a, b, c) => `fusedMultiplyAdd(${a}, ${b}, ${c})`,
  // The low bits of 1.5 * 2^23 + n are n, which move up into an exponent.
  scale2: (p, n) => `(${p} * bitcast<f32>(bitcast<u32>(${n} + 0x1.8p23f) * 0x800000u + 0x3f800000u))`,
  select: (when, a, b) => `select(${b}, ${a}, ${when})`,
  less: (a, b) => `(${a} < ${b})`,
  equal: (a, b) => `(${a} == ${b})`,
  pin: value => `pin(${value})`,
  declare: (name, value) => `let ${name} = ${value};`,
});

export const laneOperations: ReadonlySet<Scalar["op"]> = new Set<Scalar["op"]>([
  ...(["number", "read", "add", "sub", "mul", "max", "min", "floor", "abs", "binade", "select"] as const),
]);

/** The same for vectors of four rows: operations of `laneOperations` alone. */
export const dialectOfLanes = (one: Dialect): Dialect => ({
  ...one,
  number: value => `vec4f(${one.number(value)})`,
  binary: (op, a, b) => (op === "mul" ? `pin4(${a} * ${b})` : one.binary(op, a, b)),
  unary: (op, a) => (op === "binade" ? `bitcast<vec4f>(bitcast<vec4u>(${a}) & vec4u(0x7f800000u))` : one.unary(op, a)),
  pin: value => `pin4(${value})`,
});

/** Whether a value is pinned: sums that are summands themselves, or are set; a compiler could reassociate them with what they are added to. */
export function pinnedIn(body: readonly Statement[]): (scalar: Scalar) => boolean {
  const found = new Set<Scalar>();
  const visited = new Set<Scalar>();
  const isSum = ({ op }: Scalar): boolean => op === "add" || op === "sub";
  const visit = (at: Scalar): void => {
    if (visited.has(at)) return;
    visited.add(at);
    const parts = partsOf(at);
    if (isSum(at)) for (const part of parts) if (isSum(part)) found.add(part);
    for (const part of parts) visit(part);
  };
  for (const statement of body) {
    visit(statement.value);
    if (statement.kind === "set" && isSum(statement.value)) found.add(statement.value);
  }
  return scalar => found.has(scalar);
}
