/**
 * The ranges in which the contract holds: inside them no subnormal, overflow, NaN or Inf can arise (fp16 overflow is an
 * error).
 */

/** The largest magnitude of what a PE takes in, and of an element that is scaled: products of two stay finite. */
export const largestInput = 2 ** 50;

/** Largest magnitude an operand may have after rounding to O. */
export const largestOperand = ({ largest }: { readonly largest: number }): number => Math.min(largestInput, largest);

/** Below this t = x' * c the exponential 2^t is +0. */
export const smallestExponent = -50;

/** The largest t for which the exponential is defined; the paper's cascades subtract a maximum first and stay at 0. */
export const largestExponent = 64;

/** Below it a correction factor is +0: what the exponential can give at the least. */
export const smallestCorrection = 2 ** smallestExponent;

/** Below it in magnitude a product or a quotient is +0. */
export const smallestResult = 2 ** -100;

/** The largest magnitude that a cascade's values may have in PE arithmetic: products of two stay finite. */
export const largestResult = 2 ** 100;

/**
 * What a maximum of no score is held as, and minus infinity in a cascade: below every score, so that a maximum takes it for
 * nothing, and finite, so that no engine meets an infinity.
 */
export const noMaximum = Math.fround(-3e38);

/** A bound in words: 2^50, or 65504. */
export const boundInWords = (bound: number): string =>
  Number.isInteger(Math.log2(bound)) ? `2^${Math.log2(bound)}` : String(bound);

/** Magnitudes of a set that shares a scale count as none below it. */
export const smallestAmax = 2 ** -40;

export const smallestScale = 2 ** -12;
export const largestScale = 2 ** 12;

/** The widest query and key: with it t stays finite. */
export const largestHeadDim = 8192;
