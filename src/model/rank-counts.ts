import type { RankCount } from "./partition.js";

/**
 * For each rank a table: how many distinct index tuples each subset of its parts' loops has. Where a mask couples ranks
 * they share one table (src/model/coupled-counts.ts), NaN where it has not been asked yet.
 */
export interface RankCounts extends ReadonlyArray<Float64Array> {
  /** Counts, and keeps in its table, what a table has as NaN. */
  readonly ask?: (rank: number, subset: number) => number;
  /** The same count over all that touched tiles hold, masked or not; undefined where that is not known. */
  readonly touched?: (subset: number, temporal: number) => number | undefined;
  /** How often the loop of a bit iterates, masked or not; without it, its count. */
  readonly iterations?: (bit: number) => number;
  /** Words fetched into a level under a mask, where a product of counts does not say (as src/model/visits.ts). */
  readonly fetched?: (relevant: number, level: number, words: number) => number | undefined;
  /** The ranks by themselves, where no mask couples them. */
  readonly alone?: readonly RankCount[];
  /** Strides of windows. */
  readonly strides?: Float64Array;
}
