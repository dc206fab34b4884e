import type { ProcessingElement } from "../numerics/pe.js";

/** The maximum of no score. */
export const noMaximum = Number.NEGATIVE_INFINITY;

/** The larger of two maxima, either of which may be of no score. */
export const maximum = (pe: ProcessingElement, a: number, b: number): number =>
  a === noMaximum ? b : b === noMaximum ? a : pe.max(a, b);
