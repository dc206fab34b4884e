import type { Format } from "./format.js";
import { largestExponent, smallestExponent } from "./limits.js";
import { accumulatorRounder, flushCorrection, flushTiny, fromBits, operandRounder } from "./rounding.js";

/**
 * The operations of a processing element, one value at a time: the golden arithmetic (docs/numerics.md) that every
 * engine must equal bit for bit. Values are float64s that are exactly values of the format. Names follow the contract:
 * O is the operand format, A the accumulator's, rO and rA round to them.
 */
export interface ProcessingElement {
  readonly format: Format;
  /** rO: to an operand. */
  operand(x: number): number;
  /** rA(s + a * b). The product is rounded to fp32 first, which changes nothing for 16-bit operands: it is exact. */
  mac(s: number, a: number, b: number): number;
  /** The larger of two accumulators. */
  max(a: number, b: number): number;
  /** rA(a + b). */
  add(a: number, b: number): number;
  /** rA(a - b): the difference x' that goes into the exponential. */
  subtract(a: number, b: number): number;
  /** z(rA(a * b)), rounded before anything is added to it. */
  mul(a: number, b: number): number;
  /** z(rA(a / b)), the division correctly rounded. */
  div(a: number, b: number): number;
  /**
   * E2(x') = p * 2^n, about exp(scale * x'), for c = `exponentFactor(scale)` and t = x' * c of at most
   * `largestExponent`; NaN above it.
   */
  exp(x: number, c: number): number;
  /** rO(E2(x')): a softmax numerator, SLN. */
  numerator(x: number, c: number): number;
  /** rP(E2(x')): a correction factor, PRM. */
  correction(x: number, c: number): number;
}

/** Coefficients c0 ... c5 of 2^f on [0, 1), as fp32 bits. */
export const exp2CoefficientBits = [0x3f800000, 0x3f31725d, 0x3e75edab, 0x3d648e73, 0x3c13bc2b, 0x3af4ba7d] as const;

/**
 * c = RNE32(scale * log2 e), the product in float64.
 * @example
 * ```ts
 * import { exponentFactor, formats, processingElement } from "fusemax";
 *
 * console.log(processingElement(formats.fp32).exp(-1, exponentFactor(1))); // 0.3678794503211975
 * ```
 */
export function exponentFactor(scale: number): number {
  return Math.fround(scale * Math.LOG2E);
}

/** 2^n for n = smallestExponent ... largestExponent, at index n - smallestExponent. */
const powers = Float64Array.from(
  { length: 1 + largestExponent - smallestExponent },
  (_, i) => 2 ** (i + smallestExponent),
);

/** E2 with rE as given: `roundStep` rounds p * f + c_i, `toA` what the polynomial starts from. */
function exponential(toA: (x: number) => number, roundStep: (p: number, f: number, c: number) => number) {
  const coefficient = (i: number): number => toA(fromBits(exp2CoefficientBits[i] as number));
  const [c0, c1, c2, c3, c4, c5] = [0, 1, 2, 3, 4, 5].map(coefficient) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  return (x: number, c: number): number => {
    const t = Math.fround(x * c);
    if (t < smallestExponent) return 0;
    if (!(t <= largestExponent)) return Number.NaN;
    const n = Math.floor(t);
    const f = toA(t - n);
    let p = roundStep(c5, f, c4);
    p = roundStep(p, f, c3);
    p = roundStep(p, f, c2);
    p = roundStep(p, f, c1);
    p = roundStep(p, f, c0);
    return p * (powers[n - smallestExponent] as number);
  };
}

const expFp32 = exponential(Math.fround, (p, f, c) => Math.fround(Math.fround(p * f) + c));
// The product of two 16-bit values plus a coefficient is exact in float64: one rounding to fp32, one to A.
const toBf16 = accumulatorRounder("bf16");
const toFp16 = accumulatorRounder("fp16");
const expBf16 = exponential(toBf16, (p, f, c) => toBf16(p * f + c));
const expFp16 = exponential(toFp16, (p, f, c) => toFp16(p * f + c));

/**
 * The PE of a format.
 * @example
 * ```ts
 * import { formats, processingElement } from "fusemax";
 *
 * const pe = processingElement(formats["bf16-strict"]);
 * console.log(pe.add(256, 1)); // 256
 * ```
 */
export function processingElement(format: Format): ProcessingElement {
  const operand = operandRounder(format.operand);
  const accumulator = accumulatorRounder(format.accumulator);
  const exp = { fp32: expFp32, bf16: expBf16, fp16: expFp16 }[format.accumulator];
  return {
    format,
    operand,
    mac: (s, a, b) => accumulator(s + Math.fround(a * b)),
    max: Math.max,
    add: (a, b) => accumulator(a + b),
    subtract: (a, b) => accumulator(a - b),
    mul: (a, b) => flushTiny(accumulator(a * b)),
    div: (a, b) => flushTiny(accumulator(a / b)),
    exp,
    numerator: (x, c) => operand(exp(x, c)),
    correction: (x, c) => flushCorrection(accumulator(exp(x, c))),
  };
}
