import type { FloatSpec } from "../numerics/number-type.js";
import type { Variable } from "./variable.js";

/**
 * An expression of primitive operations. Values are fp32; every arithmetic operation rounds once, to nearest even, and
 * nothing may be fused or reassociated. -0 never arises but from products and quotients, whose users flush it. Nodes that are
 * the same object are one value.
 */
export type Scalar =
  | { readonly op: "number"; readonly value: number }
  /** A variable at the loop's coordinate. */
  | { readonly op: "read"; readonly variable: Variable }
  | { readonly op: BinaryPrimitive; readonly a: Scalar; readonly b: Scalar }
  | { readonly op: UnaryPrimitive; readonly a: Scalar }
  /**
   * a rounded to a number type: to nearest, ties to even (an integer type: away from zero), with gradual underflow; past the
   * largest value that where the type saturates, else something above it. What rounds to zero is +0.
   */
  | { readonly op: "round"; readonly a: Scalar; readonly type: FloatSpec }
  /** a * b + c, rounded once: no engine's own `fma` will do, unless it is known to be fused. */
  | { readonly op: "fma"; readonly a: Scalar; readonly b: Scalar; readonly c: Scalar }
  /** p * 2^n: n whole, -50 <= n <= 64. What it gives where `n` is anything else is not used. `unit`: p is from 1 to 2. */
  | { readonly op: "scale2"; readonly p: Scalar; readonly n: Scalar; readonly unit: boolean }
  | { readonly op: "select"; readonly when: Test; readonly a: Scalar; readonly b: Scalar };

/**
 * `divShort`: `div` by a scale, of which an engine may know that its significand has at most 12 bits, that the magnitudes of both
 * and of the quotient are from 2^-100 to 2^100, or a is 0. What it gives of others is not used.
 */
export type BinaryPrimitive = "add" | "sub" | "mul" | "div" | "divShort" | "max" | "min";
/** `binade`: 2^floor(log2 |a|) of a normal a, +0 of what is smaller. */
export type UnaryPrimitive = "floor" | "abs" | "binade";

export interface Test {
  readonly op: "lt" | "eq";
  readonly a: Scalar;
  readonly b: Scalar;
}

export const number = (value: number): Scalar => ({ op: "number", value });
export const read = (variable: Variable): Scalar => ({ op: "read", variable });
export const binary = (op: BinaryPrimitive, a: Scalar, b: Scalar): Scalar => ({ op, a, b });
export const unary = (op: UnaryPrimitive, a: Scalar): Scalar => ({ op, a });
export const round = (type: FloatSpec, a: Scalar): Scalar => ({ op: "round", a, type });
export const multiplyAdd = (a: Scalar, b: Scalar, c: Scalar): Scalar => ({ op: "fma", a, b, c });
export const select = (when: Test, a: Scalar, b: Scalar): Scalar => ({ op: "select", when, a, b });
export const less = (a: Scalar, b: Scalar): Test => ({ op: "lt", a, b });
export const equal = (a: Scalar, b: Scalar): Test => ({ op: "eq", a, b });

/** What an expression is made of, in the order in which it is needed. */
export function partsOf(scalar: Scalar): readonly Scalar[] {
  switch (scalar.op) {
    case "number":
    case "read":
      return [];
    case "scale2":
      return [scalar.p, scalar.n];
    case "select":
      return [scalar.when.a, scalar.when.b, scalar.a, scalar.b];
    case "floor":
    case "abs":
    case "binade":
    case "round":
      return [scalar.a];
    case "fma":
      return [scalar.a, scalar.b, scalar.c];
    default:
      return [scalar.a, scalar.b];
  }
}

/** Every variable that an expression reads. */
export function readsOf(scalar: Scalar): Set<Variable> {
  const found = new Set<Variable>();
  const seen = new Set<Scalar>();
  const visit = (at: Scalar): void => {
    if (seen.has(at)) return;
    seen.add(at);
    if (at.op === "read") found.add(at.variable);
    for (const part of partsOf(at)) visit(part);
  };
  visit(scalar);
  return found;
}

/** The expression with some variables in the place of others; one node stays one node. */
export function substitute(scalar: Scalar, by: ReadonlyMap<Variable, Variable>): Scalar {
  const done = new Map<Scalar, Scalar>();
  const visit = (at: Scalar): Scalar => {
    const known = done.get(at);
    if (known !== undefined) return known;
    const made = rebuild(at, visit, by);
    done.set(at, made);
    return made;
  };
  return visit(scalar);
}

function rebuild(at: Scalar, visit: (part: Scalar) => Scalar, by: ReadonlyMap<Variable, Variable>): Scalar {
  switch (at.op) {
    case "number":
      return at;
    case "read":
      return { op: "read", variable: by.get(at.variable) ?? at.variable };
    case "scale2":
      return { ...at, p: visit(at.p), n: visit(at.n) };
    case "select":
      return { ...at, when: { ...at.when, a: visit(at.when.a), b: visit(at.when.b) }, a: visit(at.a), b: visit(at.b) };
    case "floor":
    case "abs":
    case "binade":
    case "round":
      return { ...at, a: visit(at.a) };
    case "fma":
      return { ...at, a: visit(at.a), b: visit(at.b), c: visit(at.c) };
    default:
      return { ...at, a: visit(at.a), b: visit(at.b) };
  }
}
