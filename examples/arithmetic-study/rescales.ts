import { type Head, scoresOf } from "./head.js";

/** How often running maxima follow, of the tiles after the first. */
export interface Rescales {
  /** Of all queries and tiles: PRM is below 1, and RD and RNV are multiplied by it. */
  readonly queries: number;
  /** Of all tiles of a block of queries: some query of the block rescales, and the block's lanes with it. */
  readonly blocks: number;
}

/** Counts on float64 scores: RM follows where a tile passes it by more than `threshold`, in log2. */
export function rescalesOf(head: Head, m0: number, threshold: number): Rescales {
  const scores = scoresOf(head);
  const { rows: queries } = head.q;
  const keys = head.k.rows;
  const tiles = Math.ceil(keys / m0);
  const rises = new Float64Array(tiles);
  let followed = 0;
  for (let p = 0; p < queries; p += 1) {
    let maximum = Number.NEGATIVE_INFINITY;
    for (let tile = 0; tile < tiles; tile += 1) {
      const row = scores.subarray(p * keys + tile * m0, p * keys + Math.min(keys, (tile + 1) * m0));
      const largest = row.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
      if (largest <= maximum) continue;
      const isFirst = tile === 0;
      if (!isFirst && threshold > 0 && largest - maximum <= threshold) continue;
      maximum = largest;
      if (isFirst) continue;
      followed += 1;
      rises[tile] = 1;
    }
  }
  return {
    queries: followed / (queries * (tiles - 1)),
    blocks: rises.reduce((a, b) => a + b, 0) / (tiles - 1),
  };
}
