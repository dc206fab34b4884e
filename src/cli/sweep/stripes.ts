import type { Shard } from "../../io/shard-file.js";
import type { PointRange } from "./points.js";

/** A stripe is finished and kept as one. */
const mostPoints = 1000;
/** Stripes that each shard gets, where there are points enough. */
const stripesEach = 16;

/** How a sweep is dealt to shards: stripe s of so many points goes to shard s mod N. */
export interface Stripes {
  readonly size: number;
  readonly points: number;
}

/**
 * Neighbours cost alike, and designs, lengths and fields that cost more than others are stretches of the grid: stripes dealt in
 * turns give every shard its share of each.
 */
export const stripesOf = (size: number, { count }: Pick<Shard, "count">): Stripes => ({
  size,
  points: Math.min(mostPoints, Math.max(1, Math.ceil(size / (count * stripesEach)))),
});

/** The stripes of one shard, ascending; those of all where there is one. */
export const stripesOfShard = ({ size, points }: Stripes, { index, count }: Shard): Iterable<PointRange> => ({
  *[Symbol.iterator]() {
    for (let from = index * points; from < size; from += count * points) {
      yield { from, to: Math.min(from + points, size) };
    }
  },
});
