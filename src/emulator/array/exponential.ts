import { exp2CoefficientBits, type ProcessingElement, smallestExponent } from "../../numerics/pe.js";
import { accumulatorRounder, flushCorrection, fromBits } from "../../numerics/rounding.js";

/**
 * E2 (docs/numerics.md) one operation a cycle, in two registers: t, which is the difference x' at first, and from step 2 the
 * polynomial p. Step 0 subtracts; step 1 multiplies by c; steps 2 to 6 are the polynomial's multiply-accumulates (FuseMax
 * section V: six with step 1's). n and f are bit moves on t, and 2^n is an exponent add.
 */
export function exponentialSteps(pe: ProcessingElement, c: number) {
  const accumulator = accumulatorRounder(pe.format.accumulator);
  const coefficients = exp2CoefficientBits.map(bits => accumulator(fromBits(bits)));
  const coefficient = (i: number): number => coefficients[i] as number;
  const last = (t: number, p: number): number => (t < smallestExponent ? 0 : p * 2 ** Math.floor(t));
  return {
    /** Step 0. */
    subtract: (a: number, b: number): number => pe.subtract(a, b),
    /** Step 1. */
    scale: (difference: number): number => Math.fround(difference * c),
    /** Steps 2 to 6; `p` counts from step 3 on. */
    horner(step: number, t: number, p: number): number {
      if (t < smallestExponent) return 0;
      const f = accumulator(Math.fround(t - Math.floor(t)));
      return pe.mac(coefficient(6 - step), step === 2 ? coefficient(5) : p, f);
    },
    /** What step 6 leaves: an operand (SLN), or a correction factor (PRM). */
    numerator: (t: number, p: number): number => pe.operand(last(t, p)),
    correction: (t: number, p: number): number => flushCorrection(accumulator(last(t, p))),
  };
}

export type ExponentialSteps = ReturnType<typeof exponentialSteps>;
export const lastExponentialStep = 6;
