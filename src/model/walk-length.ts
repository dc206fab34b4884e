import type { CoupledRank, MaskedNest } from "./coupled-counts.js";

/** How long such a walk is, about: memories times visits that are looked at one by one, and the rows that are. */
export function walkLength({ shape, ranksAlone, coupled }: MaskedNest, level: number, words: number): number {
  const { batch, rows, keys } = coupled;
  const isOf = (side: CoupledRank | undefined, bit: number): boolean =>
    side !== undefined && bit >= side.shift && bit < side.shift + side.parts;
  const turnsOf = (bit: number): number => {
    const rank = shape.ranks.findIndex(({ shift, parts }) => bit >= shift && bit < shift + parts);
    return ranksAlone[rank]?.bounds[bit - (shape.ranks[rank]?.shift ?? 0)] ?? 1;
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
    loops.reduce((length, { bit }) => length * turnsOf(bit), 1);
  const memories = product(outside.filter(loop => isSpatial(loop) && (words & (1 << loop.bit)) !== 0));
  const keySteps = steps.filter(({ bit }) => isOf(keys, bit));
  const inOneGo =
    inside(rows).every(wanted => !wanted) &&
    inside(keys).every(wanted => wanted) &&
    !outside.some(loop => isSpatial(loop) && (isOf(rows, loop.bit) || isOf(keys, loop.bit)));
  if (inOneGo) {
    const last = steps.at(-1);
    const walked = steps.filter(loop => loop !== last || !isOf(keys, loop.bit));
    return memories * product(walked.filter(({ bit }) => isOf(rows, bit) || isOf(keys, bit) || isOf(batch, bit)));
  }
  const single = inside(keys).every(wanted => wanted) ? 1 : sizeOf(keys);
  return memories * product(keySteps) * sizeOf(batch) * sizeOf(rows) * single;
}
