import type { CoupledRank, MaskedNest } from "./coupled-counts.js";

/**
 * How long such a walk is, about: visits that are looked at one by one, and the rows that are. A coordinate is at hand in one
 * memory and in one iteration of its rank's loops outside, so that no rank counts for more than its coordinates, however large
 * the fan-out; instances without work are passed over.
 */
export function walkLength({ shape, ranksAlone, coupled }: MaskedNest, level: number, words: number): number {
  const { batch, rows, keys } = coupled;
  const isOf = (side: CoupledRank | undefined, bit: number): boolean =>
    side !== undefined && bit >= side.shift && bit < side.shift + side.parts;
  const isCoupled = (bit: number): boolean => isOf(batch, bit) || isOf(rows, bit) || isOf(keys, bit);
  const iterationsOf = (bit: number): number => {
    const rank = shape.ranks.findIndex(({ shift, parts }) => bit >= shift && bit < shift + parts);
    return ranksAlone[rank]?.table[1 << (bit - (shape.ranks[rank]?.shift ?? 0))] ?? 1;
  };
  const sizeOf = (side: CoupledRank | undefined): number =>
    side === undefined ? 1 : (ranksAlone[side.rank]?.size ?? 1);
  const outside = shape.loops.filter(loop => loop.level < level);
  const isSpatial = ({ level: at }: { readonly level: number }): boolean => shape.levels[at]?.spatial === true;
  const inside = (side: CoupledRank | undefined): readonly boolean[] =>
    side === undefined
      ? []
      : Array.from({ length: side.parts }, (_, part) => side.shift + part)
          .filter(bit => !outside.some(loop => loop.bit === bit))
          .map(bit => (words & (1 << bit)) !== 0);
  const steps = outside.filter(loop => !isSpatial(loop));
  const product = (loops: readonly { readonly bit: number }[]): number =>
    loops.reduce((length, { bit }) => length * iterationsOf(bit), 1);
  const memories = outside.filter(loop => isSpatial(loop) && (words & (1 << loop.bit)) !== 0);
  const inOneGo =
    inside(rows).every(wanted => !wanted) &&
    inside(keys).every(wanted => wanted) &&
    !outside.some(loop => isSpatial(loop) && (isOf(rows, loop.bit) || isOf(keys, loop.bit)));
  if (inOneGo) {
    const last = steps.at(-1);
    const walked = steps.filter(loop => loop !== last || !isOf(keys, loop.bit));
    return product(memories) * product(walked.filter(({ bit }) => isCoupled(bit)));
  }
  const keyTiles = inside(keys).every(wanted => wanted)
    ? Math.min(sizeOf(keys), product(outside.filter(({ bit }) => isOf(keys, bit))))
    : sizeOf(keys);
  return product(memories.filter(({ bit }) => !isCoupled(bit))) * sizeOf(batch) * sizeOf(rows) * keyTiles;
}

/** Scores of a nest, masked or not: as many are looked at where touched tiles are found by a walk. */
export const scoresOf = ({ ranksAlone, coupled: { batch, rows, keys } }: MaskedNest): number =>
  [batch, rows, keys].reduce(
    (scores, side) => scores * (side === undefined ? 1 : (ranksAlone[side.rank]?.size ?? 1)),
    1,
  );
