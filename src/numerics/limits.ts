import type { FloatType } from "./format.js";

/**
 * The ranges in which the contract holds: inside them no subnormal, overflow, NaN or Inf can arise (fp16 overflow is an
 * error).
 */

/** Largest magnitude an operand may have after rounding to O. */
export const largestOperand: Readonly<Record<FloatType, number>> = { bf16: 2 ** 50, fp16: 65504, fp32: 2 ** 50 };

/** Largest finite value of an accumulator. */
export const largestAccumulator: Readonly<Record<FloatType, number>> = {
  bf16: 2 ** 127 * (2 - 2 ** -7),
  fp16: 65504,
  fp32: 2 ** 127 * (2 - 2 ** -23),
};

export const smallestScale = 2 ** -12;
export const largestScale = 2 ** 12;

/** The widest query and key: with it t stays finite. */
export const largestHeadDim = 8192;
