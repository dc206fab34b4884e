import { type Interval, lengthOf, union } from "./held-tiles.js";

/** A rank's part in a sum of coordinates: its coordinates from 0 below `extent`, each times `stride`. */
export interface Side {
  readonly stride: number;
  readonly extent: number;
}

/** Intervals that a footprint has at most: more of them are refused before they are formed. */
export const mostIntervals = 2 ** 20;

/** The words at which a window's variables arrive, `p*2 + r` for p and r below their extents, in order; holes are left out. */
export function footprint(sides: readonly Side[]): readonly Interval[] {
  let found: readonly Interval[] = [[0, 1]];
  for (const { stride, extent } of inOrder(sides)) {
    const span = found.at(-1)?.[1] ?? 0;
    if (found.length === 1 && stride <= span) found = [[0, span + (extent - 1) * stride]];
    else {
      const own = found;
      const all = Array.from({ length: extent }, (_, i) =>
        own.map(([from, to]): Interval => [from + i * stride, to + i * stride]),
      ).flat();
      found = union([], all);
    }
  }
  return found;
}

/** How many intervals `footprint` may have to form. */
export function intervalsToForm(sides: readonly Side[]): number {
  let [count, span] = [1, 1];
  for (const { stride, extent } of inOrder(sides)) {
    if (count > 1 || stride > span) count *= extent;
    span += (extent - 1) * stride;
  }
  return count;
}

/** Those that iterate, the least stride first. */
const inOrder = (sides: readonly Side[]): readonly Side[] =>
  sides.filter(({ extent }) => extent > 1).sort((a, b) => a.stride - b.stride);

/** How many words two footprints have in common where the second begins `shift` words after the first. */
export function overlap(a: readonly Interval[], b: readonly Interval[], shift: number): number {
  let common = 0;
  for (let i = 0, k = 0; i < a.length && k < b.length; ) {
    const [from, to] = a[i] as Interval;
    const [first, last] = b[k] as Interval;
    common += Math.max(0, Math.min(to, last + shift) - Math.max(from, first + shift));
    if (to < last + shift) i += 1;
    else k += 1;
  }
  return common;
}

export const wordsOfWindow = (sides: readonly Side[]): number => lengthOf(footprint(sides));
