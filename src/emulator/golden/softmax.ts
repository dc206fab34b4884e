import { NumericsError } from "../../errors.js";
import type { ArithmeticSpec } from "../../numerics/arithmetic.js";
import { exponentialOf } from "../../numerics/exponential.js";
import { numberTypes } from "../../numerics/number-type.js";
import { exponentFactor } from "../../numerics/pe.js";
import { accumulatorRounder, flushCorrection } from "../../numerics/rounding.js";
import { fusedMultiplyAdd32 } from "../../numerics/single-rounding.js";

/** The exponentials of one-pass softmax (docs/arithmetic.md, "One tile", 2 and 3), for scores times `scale`. */
export interface Softmax {
  /** RM' and PRM of the maximum so far (null before the first tile with a key) and the tile's. `where` as below. */
  next(before: number | null, tile: number, where: string): { readonly rm: number; readonly prm: number };
  /** E2 of a score under the maximum, the offset included. `where` names it in an error. */
  numerator(score: number, maximum: number, where: string): number;
  /** E2 without the offset: what sums under the maximum `before` are times under `after`. */
  correction(before: number, after: number): number;
}

export function softmaxOf(arithmetic: ArithmeticSpec, scale: number): Softmax {
  const { exponent, offset, threshold } = arithmetic;
  const c = exponentFactor(scale);
  const toA = accumulatorRounder(arithmetic.accumulator);
  const e2 = exponentialOf(arithmetic);
  const fall = (from: number, to: number): number => Math.fround(toA(from - to) * c);
  const difference = (score: number, maximum: number): number => {
    const t = fall(score, maximum);
    return offset === 0 ? t : Math.fround(t + offset);
  };
  const fused = (score: number, maximum: number): number =>
    fusedMultiplyAdd32(score, c, Math.fround(offset - Math.fround(maximum * c)));
  const correction = (before: number, after: number): number => flushCorrection(toA(e2(fall(before, after))));
  const exponentOf = exponent === "fused" ? fused : difference;
  const { largest } = numberTypes[arithmetic.accumulator];
  // A sum of two values of fp16 may leave its range.
  const checkFall = (from: number, to: number, where: string): void => {
    if (exponent === "fused" || Math.abs(toA(from - to)) <= largest) return;
    throw new NumericsError({ where, got: "a difference of scores", expected: `at most ${largest} in magnitude` });
  };
  return {
    next: (before, tile, where) => {
      if (before === null) return { rm: tile, prm: 0 };
      const rm = Math.max(before, tile);
      checkFall(before, rm, where);
      // Lazy rescaling: the maximum stays behind.
      if (threshold > 0 && fall(before, rm) >= -threshold) return { rm: before, prm: 1 };
      return { rm, prm: correction(before, rm) };
    },
    numerator: (score, maximum, where) => {
      checkFall(score, maximum, where);
      const t = exponentOf(score, maximum);
      const value = e2(t);
      if (!Number.isNaN(value)) return value;
      throw new NumericsError({ where, got: `an exponent of ${t}`, expected: "at most 64" });
    },
    correction,
  };
}
