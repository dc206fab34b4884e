import type { ProcessingElement } from "../numerics/pe.js";

/** The maximum of no score. The registers of the array show it; an engine holds the finite `noMaximum` of the limits in its place. */
export const minusInfinity = Number.NEGATIVE_INFINITY;

/** The larger of two maxima, either of which may be of no score. */
export const maximum = (pe: ProcessingElement, a: number, b: number): number =>
  a === minusInfinity ? b : b === minusInfinity ? a : pe.max(a, b);
