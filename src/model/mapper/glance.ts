import type { OptionLibrary } from "./option.js";
import type { MapperProblem } from "./problem.js";
import type { RankCut } from "./tiling.js";

// What tilings look like before any of them is bounded.

/** Coordinates of a block. */
export const blockOf = (cut: RankCut | undefined): number => (cut?.inner ?? 1) * (cut?.middle ?? 1);

/** Numbers by the places of the problem's ranks. */
export type ByRank = readonly number[] | Float64Array;
export type Cut = readonly RankCut[];

/** What passes DRAM, and the seconds of that and of what passes other levels. */
export interface Passing {
  readonly bytes: number;
  readonly seconds: number;
}

/** What a way to cut all ranks looks like, and what all have at the least of which only a part is known. */
export interface Glance {
  /** Of each rank the ways to cut it that are looked at, by their places; undefined: all. */
  readonly allowed: readonly (readonly number[])[] | undefined;
  /** Whether blocks of so many coordinates of each rank fit together: of fewer they do too. */
  fits(blocks: ByRank): boolean;
  /** Units of work that a way to cut a rank makes of it. */
  units(rank: number, cut: RankCut): number;
  /**
   * Seconds of the arrays.
   * @param tiles by rank the tile, by its number among `tiles`
   * @param around by rank how many tiles there are, or fewer
   * @param units of all ranks together, or more where they are no more than known to be `atMost` so many
   */
  seconds(tiles: ByRank, around: ByRank, units: number, atMost: boolean): number;
  /** Different tiles of each rank, and which of them each way to cut it has. */
  readonly tiles: readonly TilesOfRank[];
  /** What passes where each tensor from outside passes once; the coordinates of each rank are given, with those beyond its end. */
  once(coordinates: ByRank): Passing;
  /** What passes under an order of the loops over blocks. */
  traffic(cut: Cut): (order: readonly number[]) => Passing;
}

export interface TilesOfRank {
  readonly shapes: readonly (readonly number[])[];
  readonly of: readonly number[];
}

/** Ways to cut a rank into the same tiles have use for the same places. */
export function tilesOf(choices: readonly (readonly RankCut[])[]): readonly TilesOfRank[] {
  return choices.map(own => {
    const texts = own.map(({ tile }) => tile.join());
    const different = [...new Set(texts)];
    return {
      shapes: different.map(text => own[texts.indexOf(text)]?.tile ?? []),
      of: texts.map(text => different.indexOf(text)),
    };
  });
}

/** Cycles of one Einsum by the tiles of its ranks, each at the place where it takes the fewest; worked out when they are asked for. */
export class TileWork {
  private readonly cycles: Float64Array;
  private readonly arrays: Uint8Array;
  private readonly ranks: readonly { readonly rank: number; readonly middle: boolean; readonly inner: boolean }[];
  private readonly counts: readonly number[];

  /**
   * @param perPoint by array, cycles of a point there; undefined: one anywhere, and all arrays are as one
   */
  constructor(
    private readonly problem: MapperProblem,
    private readonly library: OptionLibrary,
    private readonly einsum: number,
    private readonly tiles: readonly TilesOfRank[],
    private readonly perPoint: readonly number[] | undefined,
  ) {
    this.ranks = problem.einsums[einsum]?.ranks ?? [];
    this.counts = this.ranks.map(({ rank }) => tiles[rank]?.shapes.length ?? 1);
    const size = this.counts.reduce((product, count) => product * count, 1);
    this.cycles = new Float64Array(size).fill(-1);
    this.arrays = new Uint8Array(size);
  }

  /** Adds the Einsum's cycles to those of the array that is the quickest at it. */
  addTo(sums: Float64Array, tiles: ByRank, around: ByRank): void {
    let [key, times] = [0, 1];
    for (let r = 0; r < this.ranks.length; r += 1) {
      const { rank, middle } = this.ranks[r] as (typeof this.ranks)[number];
      key = key * (this.counts[r] as number) + (tiles[rank] as number);
      if (middle) times *= around[rank] as number;
    }
    if (this.cycles[key] === -1) this.workOut(key, tiles);
    const array = this.arrays[key] as number;
    sums[array] = (sums[array] as number) + times * (this.cycles[key] as number);
  }

  private workOut(key: number, tiles: ByRank): void {
    const { problem, library, einsum, ranks, perPoint } = this;
    const shapes = ranks.map(({ rank }) => this.tiles[rank]?.shapes[tiles[rank] as number] ?? []);
    const places = library.placesOf(einsum);
    let [least, array] = [Number.POSITIVE_INFINITY, 0];
    for (const p of library.suitedPlaces(einsum).ofTiles(shapes)) {
      const place = places[p] as (typeof places)[number];
      const a = perPoint === undefined ? 0 : problem.arrays.indexOf(place.array);
      let steps = 1;
      for (const [r, { inner }] of ranks.entries()) {
        if (inner) steps *= stepsOf(place.over, ranks[r]?.rank ?? 0, shapes[r] ?? []);
      }
      const own = steps * (perPoint?.[a] ?? 1);
      if (own < least) [least, array] = [own, a];
    }
    this.cycles[key] = least;
    this.arrays[key] = array;
  }
}

/** Elements of a tile that lie over no fan-out. */
function stepsOf(
  over: readonly ({ readonly rank: number; readonly parts: readonly number[] } | undefined)[],
  rank: number,
  tile: readonly number[],
): number {
  let steps = 1;
  for (let part = 0; part < tile.length; part += 1) {
    if (!over.some(own => own?.rank === rank && own.parts.includes(part))) steps *= tile[part] as number;
  }
  return steps;
}
