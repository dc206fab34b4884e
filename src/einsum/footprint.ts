import type { Barrier } from "./barriers.js";
import type { Cascade } from "./cascade.js";
import type { RankPasses } from "./passes.js";
import type { SizeOf } from "./shape.js";

/** A tensor of which a whole fiber must live between two passes: in the buffer, or spilled and read again. */
export interface Footprint {
  readonly tensor: string;
  /** The fiber's length in elements: the rank's name. */
  readonly elements: string;
  /** The fiber's size in bytes, or null where the rank's size is not known. */
  readonly bytes: number | null;
}

/** Bytes of a tensor's element: the paper's arithmetic is of 16 bits (FuseMax section V). */
export const defaultElementBytes = 2;

/**
 * The algorithmic minimum live footprints over a rank (FuseMax section III): one whole fiber of each tensor that is
 * read again across a barrier, whatever the mapping.
 */
export function footprintsOf(
  cascade: Cascade,
  analysis: RankPasses,
  barriers: readonly Barrier[],
  sizeOf: SizeOf = () => undefined,
  elementBytes = defaultElementBytes,
): Footprint[] {
  const again = new Set(barriers.map(({ through }) => through));
  const elements = sizeOf(analysis.rank.name);
  return [...cascade.tensors.keys()]
    .filter(tensor => again.has(tensor))
    .map(tensor => ({
      tensor,
      elements: analysis.rank.name,
      bytes: elements === undefined ? null : elements * elementBytes,
    }));
}
