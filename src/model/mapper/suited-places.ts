import type { Place } from "./place.js";
import type { MapperProblem } from "./problem.js";
import { suitsRank, type Tiling } from "./tiling.js";

/**
 * The places of one Einsum that tiles have use for. Whether a place has room for a rank's tile is asked for each rank and tile once, of
 * all places together: a machine with many fan-outs has more than a thousand of them.
 */
export class SuitedPlaces {
  /** The ranks of the Einsum, by their places among the problem's. */
  readonly ranks: readonly number[];
  /** By rank and tile the places that suit, as bits. */
  private readonly bits: readonly Map<string, Uint32Array>[];
  private readonly known = new Map<string, readonly number[]>();

  constructor(
    { einsums }: Pick<MapperProblem, "einsums">,
    einsum: number,
    readonly places: readonly Place[],
  ) {
    this.ranks = (einsums[einsum]?.ranks ?? []).map(({ rank }) => rank);
    this.bits = this.ranks.map(() => new Map());
  }

  /** The numbers of the places that a tiling has use for, ascending. */
  of({ cut }: Pick<Tiling, "cut">): readonly number[] {
    return this.ofTiles(this.ranks.map(rank => cut[rank]?.tile ?? []));
  }

  /** The same of a tile of each of the Einsum's ranks. */
  ofTiles(tiles: readonly (readonly number[])[]): readonly number[] {
    const texts = tiles.map(tile => tile.join("x"));
    const key = texts.join();
    const found = this.known.get(key) ?? this.both(tiles, texts);
    this.known.set(key, found);
    return found;
  }

  /** The same for two tiles of a rank where the same places suit them. */
  suitingKey(rank: number, tile: readonly number[]): string {
    const r = this.ranks.indexOf(rank);
    return r < 0 ? "" : this.suiting(r, tile, tile.join("x")).join();
  }

  private both(tiles: readonly (readonly number[])[], texts: readonly string[]): readonly number[] {
    const masks = tiles.map((tile, r) => this.suiting(r, tile, texts[r] as string));
    const found: number[] = [];
    for (let word = 0; 32 * word < this.places.length; word += 1) {
      let bits = this.places.length - 32 * word >= 32 ? -1 : 2 ** (this.places.length - 32 * word) - 1;
      for (const mask of masks) bits &= mask[word] as number;
      for (let bit = 0; bits !== 0; bit += 1, bits >>>= 1) if ((bits & 1) !== 0) found.push(32 * word + bit);
    }
    return found;
  }

  private suiting(r: number, tile: readonly number[], text: string): Uint32Array {
    const own = this.bits[r] as Map<string, Uint32Array>;
    const known = own.get(text);
    if (known !== undefined) return known;
    const found = new Uint32Array(Math.ceil(this.places.length / 32));
    for (const [p, place] of this.places.entries()) {
      if (!suitsRank(place, this.ranks[r] as number, tile)) continue;
      found[p >>> 5] = ((found[p >>> 5] as number) | (1 << (p & 31))) >>> 0;
    }
    own.set(text, found);
    return found;
  }
}
