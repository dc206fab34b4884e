import { type Head, scoresOf } from "./head.js";

/** How often running maxima follow, of the tiles after the first. */
export interface Rescales {
  readonly threshold: number;
  /** Of all queries and tiles: PRM is below 1, and RD and RNV are multiplied by it. */
  readonly queries: number;
  /** Of all tiles of a block of queries: some query of the block rescales, and the block's lanes with it. */
  readonly blocks: number;
}

/** Counts on float64 scores: RM follows where a tile passes it by more than a threshold, in log2. */
export function rescalesOf(head: Head, m0: number, thresholds: readonly number[]): readonly Rescales[] {
  const scores = scoresOf(head);
  const { rows: queries } = head.q;
  const keys = head.k.rows;
  const tiles = Math.ceil(keys / m0);
  const maxima = Float64Array.from({ length: queries * tiles }, (_, i) => {
    const [p, tile] = [Math.floor(i / tiles), i % tiles];
    const row = scores.subarray(p * keys + tile * m0, p * keys + Math.min(keys, (tile + 1) * m0));
    return row.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  });
  return thresholds.map(threshold => {
    const rises = new Float64Array(tiles);
    let followed = 0;
    for (let p = 0; p < queries; p += 1) {
      let maximum = maxima[p * tiles] as number;
      for (let tile = 1; tile < tiles; tile += 1) {
        const largest = maxima[p * tiles + tile] as number;
        if (largest <= maximum || (threshold > 0 && largest - maximum <= threshold)) continue;
        maximum = largest;
        followed += 1;
        rises[tile] = 1;
      }
    }
    return {
      threshold,
      queries: followed / (queries * (tiles - 1)),
      blocks: rises.reduce((a, b) => a + b, 0) / (tiles - 1),
    };
  });
}
