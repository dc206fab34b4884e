import type { Annotation } from "../einsum/einsum.js";
import type { ArithmeticSpec } from "../numerics/arithmetic.js";
import {
  largestExponent,
  largestResult,
  noMaximum,
  smallestCorrection,
  smallestExponent,
  smallestResult,
} from "../numerics/limits.js";
import { type FloatSpec, numberTypes } from "../numerics/number-type.js";
import { accumulatorRounder, fromBits } from "../numerics/rounding.js";
import { binary, equal, less, multiplyAdd, number, round, type Scalar, select, type Test, unary } from "./scalar.js";

/** What E2 gives where t is above its largest: so large that whatever sums it is out of range. */
const beyondExponent = largestResult * 2 ** 10;

/**
 * The operations of a PE as expressions of primitives: what an arithmetic consists of, for the printers. Each says
 * the same as the operation of that name in `ProcessingElement` (src/numerics/pe.ts), which the interpreter runs, or in
 * the golden implementation of one-pass attention (src/emulator/golden).
 */
export interface PeTable {
  readonly add: Binary;
  readonly subtract: Binary;
  readonly mul: Binary;
  readonly div: Binary;
  readonly max: Binary;
  readonly min: Binary;
  readonly abs: Unary;
  /** s + a * b of operands. */
  mac(s: Scalar, a: Scalar, b: Scalar): Scalar;
  /** E2(x) for c = scale * log2 e; +0 where `unless` holds, x being minus infinity there. */
  exp(x: Scalar, c: number, unless: Test | null): Scalar;
  /** E2 of t, in log2, for t of at most `largestExponent`. */
  readonly exp2: Unary;
  /** The soft-cap of a score (src/numerics/softcap.ts). */
  softcap(s: Scalar, g: number, w: number): Scalar;
  /** A number of the text or of a rank's size. */
  constant(value: number): Scalar;
  /** rO of a softmax numerator, and of whatever else enters a product with V or in scalar work. */
  readonly operand: Unary;
  /** rO of what enters a product with K. */
  readonly query: Unary;
  /** rA of a value that no operation here has rounded to an accumulator. */
  readonly result: Unary;
  annotation(annotation: Annotation): Unary;
  /** The magnitude above which an accumulator's value is an error. */
  readonly limit: number;
  /** Whether every value is to be checked, not only what sums and divisions give. */
  readonly checksAll: boolean;
}

/** The largest magnitude of a score that a cap tells from larger ones: its e is +0. */
const largestCapped = 2 ** 90;

type Unary = (x: Scalar) => Scalar;
type Binary = (a: Scalar, b: Scalar) => Scalar;

const zero = number(0);

/** Below `least` in magnitude, and -0, give +0. */
export const flush = (x: Scalar, least: number): Scalar => select(less(unary("abs", x), number(least)), zero, x);

/** An fp32 value rounded to a type; the value itself where it is one. */
export const rounded = (type: FloatSpec, x: Scalar): Scalar => (type.significandBits === 24 ? x : round(type, x));

/**
 * Whether a polynomial of 2^f is from 1 to 2 on [0, 1], roundings included: they keep the order of sums of terms that are not
 * negative, and add less than a step of 2^-9.
 */
function isUnit(coefficients: readonly number[]): boolean {
  const [c0 = 0] = coefficients;
  return c0 >= 1 && coefficients.every(c => c >= 0) && coefficients.reduce((a, b) => a + b, 0) <= 2 + 2 ** -9;
}

export function peTable({ operands, accumulator, exp }: ArithmeticSpec): PeTable {
  const accumulated = numberTypes[accumulator];
  /** Values that are an accumulator's already. */
  const inA = new WeakSet<Scalar>();
  const noted = (x: Scalar): Scalar => {
    inA.add(x);
    return x;
  };
  const toA = (x: Scalar): Scalar => noted(rounded(accumulated, x));
  const tiny = (x: Scalar): Scalar => noted(flush(toA(x), smallestResult));
  const result: Unary = x => (inA.has(x) || x.op === "read" ? x : toA(x));
  const toOperand =
    ({ type }: ArithmeticSpec["operands"]["q"]): Unary =>
    x =>
      // What rounds to zero is +0, and a type that saturates has its least value for T.
      noted(
        type.saturates || (large.has(x) && type.flush <= smallestCorrection)
          ? rounded(type, x)
          : flush(rounded(type, x), type.flush),
      );
  const toNumerator = toOperand(operands.p);
  const roundA = accumulatorRounder(accumulator);
  const [last = zero, ...others] = exp.coefficients.map(bits => number(roundA(fromBits(bits)))).reverse();
  const unit = accumulator === "fp32" && isUnit(exp.coefficients.map(bits => roundA(fromBits(bits))));
  /** Values that are zero or at least 2^-50. */
  const large = new WeakSet<Scalar>();
  // E2(0) is c0: that of a capped 0 is 0 without a division.
  const startsAtOne = roundA(fromBits(exp.coefficients[0] ?? 0)) === 1;
  const step = (p: Scalar, f: Scalar, coefficient: Scalar): Scalar =>
    exp.fused ? multiplyAdd(p, f, coefficient) : rounded(accumulated, binary("add", binary("mul", p, f), coefficient));
  const power = (t: Scalar): Scalar => {
    const n = unary("floor", t);
    const f = rounded(accumulated, binary("sub", t, n));
    return { op: "scale2", p: others.reduce((p, coefficient) => step(p, f, coefficient), last), n, unit };
  };
  const orZero = (t: Scalar, e2: Scalar): Scalar => {
    const value = select(less(t, number(smallestExponent)), zero, e2);
    if (unit) large.add(value);
    return value;
  };
  // E2 is zero or at least 2^-50, which only the grid of fp16 notices.
  const asA = (e2: Scalar): Scalar => (accumulator === "fp16" ? e2 : noted(e2));
  const exp2: Unary = t => asA(orZero(t, power(t)));
  return {
    add: (a, b) => toA(binary("add", a, b)),
    subtract: (a, b) => toA(binary("sub", a, b)),
    mul: (a, b) => tiny(binary("mul", a, b)),
    // 0 / 0 is 0, as in the interpreter: a point that is empty stays empty.
    div: (a, b) => tiny(a.op === "number" ? binary("div", a, b) : select(equal(a, zero), zero, binary("div", a, b))),
    max: (a, b) => noted(binary("max", a, b)),
    min: (a, b) => noted(binary("min", a, b)),
    abs: x => noted(unary("abs", x)),
    mac: (s, a, b) => toA(binary("add", s, binary("mul", a, b))),
    exp: (x, c, unless) => {
      const t = binary("mul", x, number(c));
      const within = select(less(number(largestExponent), t), number(beyondExponent), power(t));
      const e2 = orZero(t, within);
      return asA(unless === null ? e2 : select(unless, zero, e2));
    },
    exp2,
    softcap: (s, g, w) => {
      // Within the bounds y is neither too large for fp32 nor subnormal, and e is what it would be without them.
      const size = binary("min", unary("abs", s), number(largestCapped));
      const positive = binary("max", binary("mul", size, number(g)), number(smallestResult));
      const y = select(equal(s, zero), zero, positive);
      const e = exp2(binary("sub", zero, y));
      const r = binary("div", binary("sub", number(1), e), binary("add", number(1), e));
      const capped = binary("mul", number(w), r);
      const signed = select(less(s, zero), binary("sub", zero, capped), capped);
      // A compiler may make -0 of 0 - 0; what is not zero is far above.
      const kept = flush(rounded(accumulated, signed), smallestResult);
      return noted(startsAtOne ? select(equal(s, zero), zero, kept) : kept);
    },
    constant: value => noted(number(roundA(value))),
    operand: toNumerator,
    query: toOperand(operands.q),
    result,
    annotation: annotation => {
      if (annotation === "operand") return toNumerator;
      if (annotation === "accumulator") return x => noted(flush(result(x), smallestResult));
      return x => {
        const y = result(x);
        return noted(select(less(y, number(smallestCorrection)), zero, y));
      };
    },
    limit: Math.min(largestResult, accumulated.largest),
    checksAll: accumulator === "fp16",
  };
}

export const isNone = (x: Scalar): Test => equal(x, number(noMaximum));
