import type { NestShape } from "./nest.js";
import { chunkOf, countParts, type RankCount } from "./partition.js";

/** What a nest of outer loops fetches: words in all, and whether one tile stays throughout. */
interface Visits {
  readonly words: number;
  readonly stays: boolean;
}

/** A rank on the way down the outer loops: its coordinates at hand, and the parts that are still inside. */
interface RankState {
  size: number;
  part: number;
  readonly bounds: Float64Array;
  /** Of the parts, those whose indices make up what is fetched. */
  readonly words: number;
}

/**
 * The words fetched into a level when some loop turns in one place and stands still in another: there a tile stays put
 * longer than the product of bounds says. Walks the outer loops with one branch for whole chunks and one for the partial
 * one, once for the instances of a spatial part that the partial chunk uses and once for those that it leaves idle.
 * `words` are the loops whose indices make up what is fetched; a spatial part outside of it stands for its first,
 * busiest instance. Exact where the spatial part of a rank is its innermost.
 */
export function visitedWords(
  shape: NestShape,
  ranks: readonly RankCount[],
  relevant: number,
  level: number,
  words: number,
): number {
  const isOutside = (at: number, spatial: boolean): boolean =>
    at < level && (shape.levels[at]?.spatial === true) === spatial;
  const outer = shape.loops.filter(loop => isOutside(loop.level, false));
  const spread = shape.loops.filter(loop => isOutside(loop.level, true));
  const rankOf = (bit: number): number =>
    shape.ranks.findIndex(({ shift, parts }) => bit >= shift && bit < shift + parts);
  const states = shape.ranks.map(({ shift, parts }, r): RankState => {
    const { size, bounds } = ranks[r] as RankCount;
    return { size, part: 0, bounds, words: (words >>> shift) & ((1 << parts) - 1) };
  });

  const walk = (i: number): Visits => {
    const loop = outer[i];
    if (loop === undefined) {
      const fetched = states.reduce(
        (product, { size, bounds, part, words }) => product * countParts(size, bounds, part, words),
        1,
      );
      return { words: fetched, stays: true };
    }
    const r = rankOf(loop.bit);
    const state = states[r] as RankState;
    const { size, part } = state;
    const own = loop.bit - (shape.ranks[r] as NestShape["ranks"][number]).shift;
    const chunk = chunkOf(state.bounds, own);
    const inside = (extent: number): Visits => {
      state.size = extent;
      state.part = own + 1;
      const found = walk(i + 1);
      state.size = size;
      state.part = part;
      return found;
    };
    const whole = Math.floor(size / chunk);
    const rest = size - whole * chunk;
    const first = inside(whole > 0 ? chunk : rest);
    // Across a loop that the tensor lacks, a tile that stays within each step stays across the steps.
    if ((relevant & (1 << loop.bit)) === 0 && first.stays) return first;
    const last = whole > 0 && rest > 0 ? inside(rest).words : 0;
    const steps = whole + (rest > 0 ? 1 : 0);
    return { words: Math.max(1, whole) * first.words + last, stays: steps === 1 && first.stays };
  };

  /** Sums over the classes of instances of each spatial part outside, one part after the other. */
  const overInstances = (k: number): number => {
    const loop = spread[k];
    if (loop === undefined) return walk(0).words;
    const r = rankOf(loop.bit);
    const whole = states[r] as RankState;
    const { size, bounds } = whole;
    const own = loop.bit - (shape.ranks[r] as NestShape["ranks"][number]).shift;
    if (own !== bounds.length - 1) return overInstances(k + 1);
    const lanes = Math.min(size, bounds[own] as number);
    const busy = size % lanes === 0 ? lanes : size % lanes;
    // Seen from one instance the rank is its tiles.
    const seenBy = (tiles: number): number => {
      states[r] = { size: tiles, part: 0, bounds: bounds.subarray(0, own), words: whole.words & ~(1 << own) };
      const found = tiles === 0 ? 0 : overInstances(k + 1);
      states[r] = whole;
      return found;
    };
    const first = seenBy(Math.ceil(size / lanes));
    if ((whole.words & (1 << own)) === 0) return first;
    return busy * first + (busy < lanes ? (lanes - busy) * seenBy(Math.floor(size / lanes)) : 0);
  };
  return overInstances(0);
}
