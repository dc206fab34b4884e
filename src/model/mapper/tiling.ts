import type { LoopOrder, Place } from "./place.js";
import type { MapperProblem } from "./problem.js";

/** How one rank is cut. */
export interface RankCut {
  /** Sizes of the parts of a tile, outermost first, and their product: coordinates of a tile. */
  readonly tile: readonly number[];
  readonly inner: number;
  /** Tiles of a block, and blocks. */
  readonly middle: number;
  readonly outer: number;
}

/** How the Einsums of a block share its ranks: sizes of tiles and blocks, and the order of the loops over them. */
export interface Tiling {
  readonly order: LoopOrder;
  /** Per rank of the problem. */
  readonly cut: readonly RankCut[];
}

/**
 * Whether a place is one for the tiles of a tiling: what lies over a fan-out has no more elements than that has instances, none
 * stays empty that has room for a part of a rank that is left, and no part of one element lies apart from the rest of its tile.
 */
export const suits = ({ cut }: Pick<Tiling, "cut">, place: Place): boolean => {
  const laid = place.over.flatMap(own => (own === undefined || place.ranks.includes(own.rank) ? [] : [own.rank]));
  const isSuited = (rank: number): boolean => suitsRank(place, rank, cut[rank]?.tile ?? []);
  return place.ranks.every(isSuited) && laid.every(isSuited);
};

/** The same of one rank, with the parts of its tile: whether the others suit is another question. */
export function suitsRank({ array, over, ranks }: Place, rank: number, tile: readonly number[]): boolean {
  const sizeOf = (part: number): number => tile[part] ?? 1;
  for (const [i, { size }] of array.fanouts.entries()) {
    const own = over[i];
    if (own?.rank === rank && own.parts.reduce((n, part) => n * sizeOf(part), 1) > size) return false;
  }
  if (!ranks.includes(rank)) return true;
  const first = over.findIndex(own => own?.rank === rank);
  const isFree = (part: number, before: number): boolean =>
    array.fanouts.some(({ size }, i) => i < before && size > 1 && over[i] === undefined && sizeOf(part) <= size);
  if (first < 0) return !isFree(tile.length - 1, array.fanouts.length);
  const last = over.findLastIndex(own => own?.rank === rank);
  if (over[last]?.parts.length === tile.length) return true;
  // Its innermost part is at `last`; the other is further out, or in time as nothing has room for it.
  const inner = tile.reduce((n, size) => n * size, 1);
  if (sizeOf(0) === 1 || inner <= (array.fanouts[last]?.size ?? 1)) return false;
  return first < last || !isFree(0, last);
}

/** Puts a tiling's sizes into the table of values. */
export function setTiling({ compiled, tileParts }: MapperProblem, { cut }: Tiling, values: Float64Array): void {
  cut.forEach(({ tile, middle }, rank) => {
    const slot = rank * (1 + tileParts);
    values[compiled.variableSlots[slot] as number] = middle;
    tile.forEach((size, part) => {
      values[compiled.variableSlots[slot + 1 + part] as number] = size;
    });
  });
  compiled.program.run(values);
}
