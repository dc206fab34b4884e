import type { Annotation } from "../einsum/einsum.js";
import type { FloatType, Format } from "../numerics/format.js";
import {
  largestExponent,
  largestResult,
  smallestCorrection,
  smallestExponent,
  smallestResult,
} from "../numerics/limits.js";
import { numberTypes } from "../numerics/number-type.js";
import { exp2CoefficientBits } from "../numerics/pe.js";
import { fromBits, rounder } from "../numerics/rounding.js";
import { binary, equal, less, number, type Scalar, select, type Test, unary } from "./scalar.js";

/** Stands for -inf, which a maximum starts from: below every score, finite, so that no engine meets an infinity. */
export const noMaximum = Math.fround(-3e38);

/** What E2 gives where t is above its largest: so large that whatever sums it is out of range. */
const beyondExponent = largestResult * 2 ** 10;

/**
 * The operations of a PE as expressions of primitives: what an arithmetic consists of, for the printers. Each says
 * the same as the operation of that name in `ProcessingElement` (src/numerics/pe.ts), which the interpreter runs.
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
  /** E2 as a function of t, in log2, for t <= 0. */
  exp2(t: Scalar): Scalar;
  /** The soft-cap of a score (src/numerics/softcap.ts). */
  softcap(s: Scalar, g: number, w: number): Scalar;
  /** A number of the text or of a rank's size. */
  constant(value: number): Scalar;
  /** rO. */
  readonly operand: Unary;
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
const flush = (x: Scalar, least: number): Scalar => select(less(unary("abs", x), number(least)), zero, x);

export function peTable({ operand, accumulator }: Format): PeTable {
  /** Values that are an accumulator's already. */
  const inA = new WeakSet<Scalar>();
  const noted = (x: Scalar): Scalar => {
    inA.add(x);
    return x;
  };
  const to = (type: FloatType, x: Scalar): Scalar => (type === "fp32" ? x : unary(type, x));
  const toA = (x: Scalar): Scalar => noted(to(accumulator, x));
  const tiny = (x: Scalar): Scalar => noted(flush(toA(x), smallestResult));
  const result: Unary = x => (inA.has(x) || x.op === "read" ? x : toA(x));
  const toOperand: Unary = x => noted(flush(to(operand, x), numberTypes[operand].flush));
  const coefficients = exp2CoefficientBits.map(bits => number(rounder(accumulator)(fromBits(bits))));
  const [c0 = zero, ...rest] = coefficients;
  const [last = c0, ...others] = [...rest].reverse();
  const exp2: Unary = t => {
    const n = unary("floor", t);
    const f = to(accumulator, binary("sub", t, n));
    const step = (p: Scalar, coefficient: Scalar): Scalar =>
      to(accumulator, binary("add", binary("mul", p, f), coefficient));
    const p = [...others, c0].reduce(step, last);
    const within = select(less(number(largestExponent), t), number(beyondExponent), { op: "scale2", p, n });
    return select(less(t, number(smallestExponent)), zero, within);
  };
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
      const e2 = exp2(binary("mul", x, number(c)));
      const value = unless === null ? e2 : select(unless, zero, e2);
      // E2 is zero or at least 2^-50, which only the grid of fp16 notices.
      return accumulator === "fp16" ? value : noted(value);
    },
    exp2,
    softcap: (s, g, w) => {
      // Within the bounds y is neither too large for fp32 nor subnormal, and e is what it would be without them.
      const size = binary("min", unary("abs", s), number(largestCapped));
      const y = binary("max", binary("mul", size, number(g)), number(smallestResult));
      const e = exp2(binary("sub", zero, y));
      const r = binary("div", binary("sub", number(1), e), binary("add", number(1), e));
      const capped = binary("mul", number(w), r);
      const signed = select(less(s, zero), binary("sub", zero, capped), capped);
      return noted(select(equal(s, zero), zero, to(accumulator, signed)));
    },
    constant: value => noted(number(rounder(accumulator)(Math.fround(value)) + 0)),
    operand: toOperand,
    result,
    annotation: annotation => {
      if (annotation === "operand") return toOperand;
      if (annotation === "accumulator") return x => noted(flush(result(x), smallestResult));
      return x => {
        const y = result(x);
        return noted(select(less(y, number(smallestCorrection)), zero, y));
      };
    },
    limit: Math.min(largestResult, numberTypes[accumulator].largest),
    checksAll: accumulator === "fp16",
  };
}

export const isNone = (x: Scalar): Test => equal(x, number(noMaximum));
