import { passesOver } from "../../einsum/passes.js";
import type { Rank } from "../../einsum/ranks.js";
import { blockSizes } from "../search-space.js";
import type { LoopOrder, Place } from "./place.js";
import type { MapperProblem } from "./problem.js";

/** How the Einsums of a block share its ranks: sizes of tiles and blocks, and the order of the loops over them. */
export interface Tiling {
  readonly order: LoopOrder;
  /** Per rank of the problem: coordinates of a tile, tiles of a block, blocks. */
  readonly cut: readonly { readonly inner: number; readonly middle: number; readonly outer: number }[];
}

/** All tilings of a block of Einsums under which each has a place, and how many were counted but never formed. */
export interface Tilings {
  readonly all: readonly Tiling[];
  /** Tilings under which some Einsum of the block has no place whose fan-outs have room for its tiles. */
  readonly unfit: number;
  /** Tilings that would cut a rank over which the block's Einsums pass more than once. */
  readonly ruledOut: number;
}

/** Tiles smaller than a fan-out are tried down to this share of it. */
const smallestShare = 16;

/**
 * Every tiling of the Einsums from `from` to before `to`. A rank over which two of them are of different passes stays whole: they
 * share no loop over it. Tiles are as long as a fan-out, or, where a block is a single tile, a half, a quarter and so on of
 * it; blocks are of the sizes of `blockSizes`, partial last ones included. Every order of the loops that iterate is tried.
 * @param placesOf the places of an Einsum
 */
export function tilingsOf(
  problem: MapperProblem,
  placesOf: (einsum: number) => readonly Place[],
  from: number,
  to: number,
): Tilings {
  const { ranks, arrays, einsums } = problem;
  const block = einsums.slice(from, to);
  const fanouts = [...new Set(arrays.flatMap(array => array.fanouts.map(({ size }) => size)))].sort((a, b) => b - a);
  const widest = fanouts[0] ?? 1;
  const has = (rank: number): boolean => block.some(einsum => einsum.ranks.some(own => own.rank === rank));
  const free: Tiling["cut"][] = [];
  const choices = ranks.map(({ size, middle, inner, rank }, r): Tiling["cut"] => {
    const whole = (tile: number) => ({ inner: tile, middle: Math.ceil(size / tile), outer: 1 });
    const tile = inner === undefined ? 1 : Math.min(size, widest);
    if (!has(r)) return [whole(tile)];
    const cuts = cutsOf(size, tile, inner === undefined ? [] : fanouts, widest);
    free.push(cuts);
    const onePass = cuts.length === 1 || rank === undefined || isOnePass(problem, rank, middle, from, to);
    return onePass ? cuts : [whole(tile)];
  });
  const all: Tiling[] = [];
  let unfit = 0;
  const hasPlaces = hasPlacesIn(problem, placesOf, from, to);
  const visit = (r: number, cut: Tiling["cut"]): void => {
    const options = choices[r];
    if (options === undefined) {
      const turning = (part: "outer" | "middle"): readonly number[] =>
        ranks.flatMap((_, i) => (has(i) && (cut[i]?.[part] ?? 1) > 1 ? [i] : []));
      const standing = (part: "outer" | "middle"): readonly number[] =>
        ranks.flatMap((_, i) => (has(i) && (cut[i]?.[part] ?? 1) === 1 ? [i] : []));
      if (!hasPlaces(cut)) {
        unfit += ordersOf(turning("outer").length, turning("middle").length);
        return;
      }
      for (const outer of permutations(turning("outer"))) {
        for (const inner of permutations(turning("middle"))) {
          all.push({
            cut,
            order: { outer: [...outer, ...standing("outer")], inner: [...inner, ...standing("middle")] },
          });
        }
      }
      return;
    }
    for (const option of options) visit(r + 1, [...cut, option]);
  };
  visit(0, []);
  return { all, unfit, ruledOut: countTilings(free) - all.length - unfit };
}

/** Whether each Einsum of a block has a place where tiles fit; asked once for the same tiles. */
function hasPlacesIn(
  { einsums }: MapperProblem,
  placesOf: (einsum: number) => readonly Place[],
  from: number,
  to: number,
): (cut: Tiling["cut"]) => boolean {
  const known = new Map<string, boolean>();
  return cut => {
    const key = cut.map(({ inner }) => inner).join();
    const found =
      known.get(key) ??
      einsums.slice(from, to).every((_, e) => placesOf(from + e).some(at => fitsFanouts({ cut }, at)));
    known.set(key, found);
    return found;
  };
}

/** How many tilings there are of ranks each of which may be cut in some ways: a cut of each, and every order of the loops that iterate. */
function countTilings(ranks: readonly Tiling["cut"][]): number {
  // By how many loops over blocks and over tiles iterate.
  let counts = new Map<string, number>([["0 0", 1]]);
  for (const cuts of ranks) {
    const next = new Map<string, number>();
    for (const [key, count] of counts) {
      const [outer = 0, middle = 0] = key.split(" ").map(Number);
      for (const cut of cuts) {
        const more = `${outer + (cut.outer > 1 ? 1 : 0)} ${middle + (cut.middle > 1 ? 1 : 0)}`;
        next.set(more, (next.get(more) ?? 0) + count);
      }
    }
    counts = next;
  }
  return [...counts].reduce((sum, [key, count]) => {
    const [outer = 0, middle = 0] = key.split(" ").map(Number);
    return sum + count * ordersOf(outer, middle);
  }, 0);
}

/** Orders of so many loops over blocks and so many over tiles. */
const ordersOf = (outer: number, middle: number): number => factorial(outer) * factorial(middle);
const factorial = (n: number): number => (n <= 1 ? 1 : n * factorial(n - 1));

function cutsOf(size: number, tile: number, fanouts: readonly number[], widest: number): Tiling["cut"] {
  const tiles = Math.ceil(size / tile);
  const blocks = blockSizes(tiles, true, () => "mapper").map(middle => ({
    inner: tile,
    middle,
    outer: Math.ceil(tiles / middle),
  }));
  // A rank that does not fill a fan-out is not cut further.
  const smaller = new Set(fanouts.filter(own => own < tile));
  for (let own = tile / 2; tile === widest && own >= 1 && own >= widest / smallestShare; own /= 2) {
    smaller.add(Math.floor(own)).add(Math.floor((own * 3) / 2));
  }
  const single = [...smaller].map(inner => ({ inner, middle: 1, outer: Math.ceil(size / inner) }));
  // Tiles that fill a smaller fan-out have blocks of several too, or every block would read its operands anew.
  const several = tile < widest ? [] : fanouts.filter(own => own > 1 && own < tile).flatMap(own => coarse(size, own));
  return [...blocks, ...single, ...several];
}

/** Blocks of 4, 16, 64 and so on tiles: coarser than those of the widest fan-out, as there are many more tiles. */
function coarse(size: number, inner: number): Tiling["cut"] {
  const tiles = Math.ceil(size / inner);
  const cuts: Tiling["cut"][number][] = [];
  for (let middle = 4; middle <= tiles; middle *= 4) cuts.push({ inner, middle, outer: Math.ceil(tiles / middle) });
  return cuts;
}

/**
 * Whether the Einsums of a block that go along a rank are of one pass over it; of a rank that the cascade cuts, over its tiles.
 */
function isOnePass({ cascade, einsums }: MapperProblem, rank: Rank, tiles: string, from: number, to: number): boolean {
  const along = rank.parts.length === 1 ? rank : (cascade.ranks.byName(tiles) ?? rank);
  const passes = passesOver(cascade, along).einsums;
  const found = einsums
    .slice(from, to)
    .flatMap(({ placed }) => (passes[placed.index]?.along === true ? [passes[placed.index]?.pass] : []));
  return new Set(found).size <= 1;
}

/** Whether the tiles of a tiling are no longer than the fan-outs over which a place lays them. */
export const fitsFanouts = ({ cut }: Pick<Tiling, "cut">, { array, over }: Place): boolean =>
  array.fanouts.every(({ size }, i) => {
    const rank = over[i];
    return rank === undefined || (cut[rank]?.inner ?? 1) <= size;
  });

export function permutations(items: readonly number[]): readonly (readonly number[])[] {
  if (items.length <= 1) return [items];
  return items.flatMap(first => permutations(items.filter(item => item !== first)).map(rest => [first, ...rest]));
}

/** Puts a tiling's sizes into the table of values. */
export function setTiling({ compiled }: MapperProblem, { cut }: Tiling, values: Float64Array): void {
  cut.forEach(({ inner, middle }, rank) => {
    values[compiled.variableSlots[2 * rank] as number] = middle;
    values[compiled.variableSlots[2 * rank + 1] as number] = inner;
  });
  compiled.program.run(values);
}
