import { passesOver } from "../../einsum/passes.js";
import type { Rank } from "../../einsum/ranks.js";
import { blockSizes } from "../search-space.js";
import { atOnceOf } from "./at-once.js";
import type { MapArray } from "./machine.js";
import { dealtRanks } from "./place.js";
import type { MapperProblem } from "./problem.js";
import type { RankCut, Tiling } from "./tiling.js";

/** Tiles smaller than a fan-out are tried down to this share of it. */
const smallestShare = 16;

/** Ranks of no more than so many of the widest tiles are short: where cores are within a shared level, a limited search leaves them whole. */
export const shortTiles = 8;

/** Orders of the loops that iterate under some cuts: over blocks, and over the tiles of a block. */
interface Orders {
  readonly outer: readonly (readonly number[])[];
  readonly inner: readonly (readonly number[])[];
}

/**
 * All tilings of the Einsums of a block, each with a number: a way to cut every rank, and an order of the loops that iterate. They are
 * formed when they are asked for.
 */
export class TilingSpace {
  /** Ways to cut all ranks. */
  readonly cuts: number;
  /** How many of them cut the ranks alike that the Einsums have: they work on other parts of a batch at once. */
  readonly units: number;
  /** Tilings. */
  readonly count: number;
  /** Orders of loops at the most, for each way to cut the ranks. */
  private readonly stride: number;
  private readonly known = new Map<number, Orders>();

  /**
   * @param choices by rank the ways to cut it
   * @param own the ranks that the Einsums have
   * @param dealt those whose blocks are dealt to cores
   * @param ruledOut tilings that would cut a rank over which the block's Einsums pass more than once
   */
  constructor(
    readonly choices: readonly (readonly RankCut[])[],
    readonly own: readonly number[],
    private readonly dealt: readonly number[],
    readonly ruledOut: number,
  ) {
    this.cuts = choices.reduce((product, { length }) => product * length, 1);
    this.units = choices.reduce((n, { length }, r) => (own.includes(r) ? n : n * length), 1);
    this.count = this.units * countTilings(own.map(r => choices[r] as readonly RankCut[]));
    this.stride = ordersOf(own.length, own.length);
  }

  /** By rank, which of its choices the ways to cut all ranks of a number have. */
  digits(number: number): readonly number[] {
    const found: number[] = [];
    let rest = number;
    for (let r = this.choices.length - 1; r >= 0; r -= 1) {
      const { length } = this.choices[r] as readonly RankCut[];
      found[r] = rest % length;
      rest = Math.floor(rest / length);
    }
    return found;
  }

  cut(digits: readonly number[]): readonly RankCut[] {
    return this.choices.map((own, r) => own[digits[r] as number] as RankCut);
  }

  /**
   * Every way to cut all ranks, with its number; what is given holds until the next is asked for.
   * @param allowed by rank the ways to cut it that are thought of, ascending
   */
  *eachCut(allowed: readonly (readonly number[])[] = this.choices.map(own => own.map((_, c) => c))): Generator<{
    readonly number: number;
    readonly digits: readonly number[];
    readonly cut: readonly RankCut[];
  }> {
    const at = allowed.map(() => 0);
    const digits = allowed.map(([first = 0]) => first);
    const cut = [...this.cut(digits)];
    const strides = this.choices.map((_, r) => this.choices.slice(r + 1).reduce((n, { length }) => n * length, 1));
    const count = allowed.reduce((n, { length }) => n * length, 1);
    for (let i = 0; i < count; i += 1) {
      yield { number: digits.reduce((n, digit, r) => n + digit * (strides[r] as number), 0), digits, cut };
      for (let r = at.length - 1; r >= 0; r -= 1) {
        const own = allowed[r] as readonly number[];
        const next = ((at[r] as number) + 1) % own.length;
        at[r] = next;
        digits[r] = own[next] as number;
        cut[r] = (this.choices[r] as readonly RankCut[])[digits[r] as number] as RankCut;
        if (next > 0) break;
      }
    }
  }

  orders(cut: readonly RankCut[]): Orders {
    // Which loops iterate, as bits.
    let key = 0;
    for (const r of this.own) key = 4 * key + ((cut[r]?.outer ?? 1) > 1 ? 2 : 0) + ((cut[r]?.middle ?? 1) > 1 ? 1 : 0);
    const found = this.known.get(key);
    if (found !== undefined) return found;
    const ordersOfPart = (part: "outer" | "middle"): readonly (readonly number[])[] => {
      const iterating = this.own.filter(r => (cut[r]?.[part] ?? 1) > 1);
      const others = this.own.filter(r => (cut[r]?.[part] ?? 1) === 1);
      return permutations(iterating).map(order => [...order, ...others]);
    };
    const orders = { outer: ordersOfPart("outer"), inner: ordersOfPart("middle") };
    this.known.set(key, orders);
    return orders;
  }

  /** The number of the first tiling that has ways to cut all ranks, and an order of the loops over blocks. */
  first(cut: number, outer: number, { inner }: Orders): number {
    return cut * this.stride + outer * inner.length;
  }

  at(number: number): Tiling {
    const cut = this.cut(this.digits(Math.floor(number / this.stride)));
    const { outer, inner } = this.orders(cut);
    const order = number % this.stride;
    return {
      cut,
      order: {
        outer: outer[Math.floor(order / inner.length)] as readonly number[],
        inner: inner[order % inner.length] as readonly number[],
        dealt: this.dealt,
      },
    };
  }

  /** The numbers of all. */
  *numbers(): Generator<number> {
    for (const { number, cut } of this.eachCut()) {
      const { outer, inner } = this.orders(cut);
      for (let order = 0; order < outer.length * inner.length; order += 1) yield number * this.stride + order;
    }
  }
}

/**
 * Every tiling of the Einsums from `from` to before `to`. A rank over which two of them are of different passes stays whole: they
 * share no loop over it. Tiles are as long as a fan-out, or, where a block is a single tile, a half, a quarter and so on of
 * it; blocks are of the sizes of `blockSizes`, partial last ones included. Where fan-outs are of several sizes, tiles have two parts:
 * one for each of two fan-outs of an array, or one for a smaller fan-out that with the other fills a larger. Every order of the
 * loops that iterate is tried.
 */
export function tilingsOf(problem: MapperProblem, from: number, to: number): TilingSpace {
  const { ranks, arrays, einsums, tileParts } = problem;
  const block = einsums.slice(from, to);
  const fanouts = [...new Set(arrays.flatMap(array => array.fanouts.map(({ size }) => size)))].sort((a, b) => b - a);
  const widest = fanouts[0] ?? 1;
  // A block of all of a short rank, where fan-outs are much smaller than that.
  const whole = (tiles: number): readonly number[] =>
    problem.shared !== undefined && tiles <= shortTiles * widest ? [tiles] : [];
  const chains = tileParts === 1 ? [] : chainsOf(arrays, problem.shared !== undefined);
  const has = (r: number): boolean => block.some(({ ranks: its }) => its.some(({ rank }) => rank === r));
  // What is worked on at once is looped over outside of all blocks.
  const own = ranks.flatMap(({ atOnce }, r) => (atOnce !== true && has(r) ? [r] : []));
  const atOnce = atOnceOf(problem);
  const free: (readonly RankCut[])[] = [];
  const choices = ranks.map(({ size, middle, tile: parts, rank }, r): readonly RankCut[] => {
    const isBatch = parts.length === 0;
    const one = (tile: number): readonly number[] => (isBatch ? [] : tileParts === 1 ? [tile] : [1, tile]);
    const cutAs = (tile: readonly number[], middle: number): RankCut => {
      const inner = tile.reduce((product, own) => product * own, 1);
      return { tile, inner, middle, outer: Math.ceil(Math.ceil(size / inner) / middle) };
    };
    const longest = isBatch ? 1 : Math.min(size, widest);
    const plain = cutAs(one(longest), Math.ceil(size / longest));
    const units = atOnce.get(r);
    if (units !== undefined) return units.map(middle => cutAs([], middle));
    if (!own.includes(r)) return [plain];
    // Of a rank that the cascade cuts a tile goes on in time: what is done once a tile is done less often.
    const longer = problem.shared !== undefined && rank?.parts.length === 2 ? longTiles(fanouts) : [];
    const tiles = [...chains, ...longer].flatMap(([outer, inner]): (readonly number[])[] =>
      isBatch || size <= inner ? [] : [[Math.min(outer, Math.ceil(size / inner)), inner]],
    );
    const several = [...new Map(tiles.map(tile => [tile.join(), tile])).values()];
    const cuts = [
      ...cutsOf(size, longest, isBatch ? [] : fanouts, widest, whole).map(([tile, middle]) => cutAs(one(tile), middle)),
      ...several.flatMap(tile => {
        const blocks = Math.ceil(size / tile.reduce((product, own) => product * own, 1));
        return [...new Set([1, ...coarse(blocks), ...whole(blocks)])].map(middle => cutAs(tile, middle));
      }),
    ];
    free.push(cuts);
    const onePass = cuts.length === 1 || rank === undefined || isOnePass(problem, rank, middle, from, to);
    if (onePass) return cuts;
    const inOne = several.map(tile => cutAs(tile, Math.ceil(size / tile.reduce((product, own) => product * own, 1))));
    return [plain, ...inOne];
  });
  const units = [...atOnce.values()].reduce((product, { length }) => product * length, 1);
  const formed = countTilings(own.map(r => choices[r] as readonly RankCut[]));
  return new TilingSpace(choices, own, dealtRanks(problem, block), units * Math.max(0, countTilings(free) - formed));
}

/** Tiles of several elements in time of which each has as many in space as some fan-out has instances: more than the widest has together. */
const longTiles = (fanouts: readonly number[]): readonly (readonly [outer: number, inner: number])[] =>
  fanouts.flatMap(inner =>
    [4, 8, 16].flatMap(times => {
      const outer = ((fanouts[0] ?? 1) * times) / inner;
      return inner > 1 && Number.isInteger(outer) && outer >= (fanouts[0] ?? 1) ? [[outer, inner] as const] : [];
    }),
  );

/**
 * Tiles of two parts, the outer first: those that fill two fan-outs of an array of different sizes, and those that fill one, of whose parts
 * one fills a smaller one.
 * @param alike whether fan-outs may be of the same size too
 */
function chainsOf(arrays: readonly MapArray[], alike: boolean): readonly (readonly [outer: number, inner: number])[] {
  const sizes = [...new Set(arrays.flatMap(({ fanouts }) => fanouts.map(({ size }) => size)))].filter(n => n > 1);
  const pairs = arrays.flatMap(({ fanouts }) =>
    fanouts.flatMap(({ size: outer }, i) =>
      fanouts
        .slice(i + 1)
        .flatMap(({ size: inner }) =>
          outer > 1 && inner > 1 && (alike || outer !== inner) ? [[outer, inner] as const] : [],
        ),
    ),
  );
  const shares = sizes.flatMap(large =>
    sizes.flatMap(small => (small < large && large % small === 0 ? [[large / small, small] as const] : [])),
  );
  return [...pairs, ...shares];
}

/** How many tilings there are of ranks each of which may be cut in some ways: a cut of each, and every order of the loops that iterate. */
function countTilings(ranks: readonly (readonly RankCut[])[]): number {
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
export const factorial = (n: number): number => (n <= 1 ? 1 : n * factorial(n - 1));

/** Tiles of one part, with the tiles of a block. */
function cutsOf(
  size: number,
  tile: number,
  fanouts: readonly number[],
  widest: number,
  whole: (tiles: number) => readonly number[],
): readonly (readonly [tile: number, middle: number])[] {
  const blocks = blockSizes(Math.ceil(size / tile), true, () => "mapper").map(middle => [tile, middle] as const);
  // A rank that does not fill a fan-out is not cut further.
  const smaller = new Set(fanouts.filter(own => own < tile));
  for (let own = tile / 2; tile === widest && own >= 1 && own >= widest / smallestShare; own /= 2) {
    smaller.add(Math.floor(own)).add(Math.floor((own * 3) / 2));
  }
  const single = [...smaller].map(inner => [inner, 1] as const);
  // Tiles that fill a smaller fan-out have blocks of several too, or every block would read its operands anew.
  const several = tile < widest ? [] : fanouts.filter(own => own > 1 && own < tile);
  return [
    ...blocks,
    ...single,
    ...several.flatMap(own => {
      const tiles = Math.ceil(size / own);
      return [...new Set([...coarse(tiles), ...whole(tiles)])].map(middle => [own, middle] as const);
    }),
  ];
}

/** Blocks of 4, 16, 64 and so on tiles: coarser than those of the widest fan-out, as there are many more tiles. */
function coarse(tiles: number): readonly number[] {
  const sizes: number[] = [];
  for (let middle = 4; middle <= tiles; middle *= 4) sizes.push(middle);
  return sizes;
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

function permutations(items: readonly number[]): readonly (readonly number[])[] {
  if (items.length <= 1) return [items];
  return items.flatMap(first => permutations(items.filter(item => item !== first)).map(rest => [first, ...rest]));
}
