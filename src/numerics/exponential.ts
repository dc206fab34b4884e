import type { ArithmeticSpec } from "./arithmetic.js";
import { largestExponent, smallestExponent } from "./limits.js";
import { accumulatorRounder, fromBits } from "./rounding.js";
import { fusedMultiplyAdd32 } from "./single-rounding.js";

/**
 * E2 of t (docs/arithmetic.md, "The exponential"): p(f) * 2^n with n = floor(t) and f = t - n; +0 for t < -50, NaN
 * where t is none of the numbers up to 64.
 */
export function exponentialOf({ accumulator, exp }: ArithmeticSpec): (t: number) => number {
  const toA = accumulatorRounder(accumulator);
  const coefficients = exp.coefficients.map(bits => toA(fromBits(bits)));
  const step = stepOf(accumulator, exp.fused, toA);
  return t => {
    if (t < smallestExponent) return 0;
    if (!(t <= largestExponent)) return Number.NaN;
    const n = Math.floor(t);
    const f = toA(t - n);
    return coefficients.reduceRight((p, c) => step(p, f, c)) * 2 ** n;
  };
}

type Step = (p: number, f: number, c: number) => number;

function stepOf(accumulator: ArithmeticSpec["accumulator"], fused: boolean, toA: (x: number) => number): Step {
  if (fused) return fusedMultiplyAdd32;
  // 16 bits: the product and the sum are exact in float64, and rA rounds.
  return accumulator === "fp32" ? (p, f, c) => Math.fround(Math.fround(p * f) + c) : (p, f, c) => toA(p * f + c);
}
