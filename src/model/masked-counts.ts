import { coupledCount, isClosed, type MaskedNest, touchedCount } from "./coupled-counts.js";
import { tuples } from "./loop-nest.js";
import { maskedVisits, touchedPoints } from "./masked-visits.js";
import type { RankCounts } from "./rank-counts.js";
import type { VisibleRegion } from "./region.js";
import { scoresOf, walkLength } from "./walk-length.js";

/** The longest walk that is made where a count has no closed form. Beyond it, a bound from above takes its place. */
export const longestWalk = 2 ** 14;

/** The most scores that are looked at one by one for what touched tiles hold. */
const mostScores = 2 ** 16;

/**
 * The ranks' tables, those that the region couples as one that is filled as it is asked: by closed forms where these are
 * exact, else by a walk.
 */
export function maskedCounts(
  nest: MaskedNest,
  boxes: RankCounts,
  region: VisibleRegion,
  longest = longestWalk,
): RankCounts {
  const { shape, ranksAlone, coupled } = nest;
  const merged = shape.ranks.length - coupled.shape.ranks.length + 1;
  const table = new Float64Array(1 << (coupled.shape.ranks[0]?.parts ?? 0)).fill(Number.NaN);
  const bounds = ranksAlone.map(rank => rank.bounds);
  const isShort = (level: number, words: number): boolean => walkLength(nest, level, words) <= longest;
  const ask = (rank: number, subset: number): number => {
    if (rank !== 0) return Number.NaN;
    const count =
      isClosed(coupled, region, subset) || !isShort(0, subset)
        ? coupledCount(coupled, region, boxes, bounds, subset)
        : maskedVisits(nest, region, 0, 0, subset);
    table[subset] = count;
    return count;
  };
  return Object.assign([table, ...boxes.slice(merged)], {
    ask,
    touched: (subset: number, temporal: number): number | undefined =>
      touchedCount(coupled, region, boxes, bounds, temporal, subset) ??
      (isShort(0, subset) && scoresOf(nest) <= mostScores ? touchedPoints(nest, region, temporal, subset) : undefined),
    iterations: (bit: number): number => tuples(shape, boxes, 1 << bit),
    fetched: (relevant: number, level: number, words: number): number | undefined =>
      mayStay(nest, boxes, merged, relevant, level) && isShort(level, words)
        ? maskedVisits(nest, region, relevant, level, words)
        : undefined,
  });
}

/**
 * Whether a tile may stay where an outer loop that the tensor lacks takes another iteration, for the loop within that moves it may
 * have one iteration there: what a mask leaves of its rank, or a partial chunk.
 */
function mayStay(
  { shape, ranksAlone }: MaskedNest,
  boxes: RankCounts,
  merged: number,
  relevant: number,
  level: number,
): boolean {
  const outside = shape.loops.filter(
    loop => loop.level < level && shape.levels[loop.level]?.spatial !== true && tuples(shape, boxes, 1 << loop.bit) > 1,
  );
  const last = outside.findLastIndex(({ bit }) => (relevant & (1 << bit)) !== 0);
  const bit = outside[last]?.bit;
  if (bit === undefined) return false;
  const rank = shape.ranks.findIndex(({ shift, parts }) => bit >= shift && bit < shift + parts);
  const movesAlways = rank >= merged && ranksAlone[rank]?.uneven === false;
  return !movesAlways && outside.slice(0, last).some(loop => (relevant & (1 << loop.bit)) === 0);
}
