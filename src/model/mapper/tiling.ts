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

/** All tilings of a block of Einsums, and what the pass analysis ruled out before any was formed. */
export interface Tilings {
  readonly all: readonly Tiling[];
  /** Tilings that would cut a rank over which the block's Einsums pass more than once. */
  readonly ruledOut: number;
}

/** Tiles smaller than a fan-out are tried down to this share of it. */
const smallestShare = 16;

/**
 * Every tiling of the Einsums from `from` to before `to`. A rank over which two of them are of different passes stays whole: they
 * share no loop over it. Tiles are as long as a fan-out, or, where a block is a single tile, a half, a quarter and so on of
 * it; blocks are of the sizes of `blockSizes`, partial last ones included. Every order of the loops that iterate is tried.
 */
export function tilingsOf(problem: MapperProblem, from: number, to: number): Tilings {
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
  const visit = (r: number, cut: Tiling["cut"]): void => {
    const options = choices[r];
    if (options === undefined) {
      const turning = (part: "outer" | "middle"): readonly number[] =>
        ranks.flatMap((_, i) => (has(i) && (cut[i]?.[part] ?? 1) > 1 ? [i] : []));
      const standing = (part: "outer" | "middle"): readonly number[] =>
        ranks.flatMap((_, i) => (has(i) && (cut[i]?.[part] ?? 1) === 1 ? [i] : []));
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
  return { all, ruledOut: countTilings(free) - all.length };
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
  const factorial = (n: number): number => (n <= 1 ? 1 : n * factorial(n - 1));
  return [...counts].reduce((sum, [key, count]) => {
    const [outer = 0, middle = 0] = key.split(" ").map(Number);
    return sum + count * factorial(outer) * factorial(middle);
  }, 0);
}

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
  return [...blocks, ...[...smaller].map(inner => ({ inner, middle: 1, outer: Math.ceil(size / inner) }))];
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
export const fitsFanouts = ({ cut }: Tiling, { array, over }: Place): boolean =>
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
