import type { KeyMask } from "../attention/sequences.js";

/** What a mask leaves of scores that are laid out as rows and keys. */
export interface VisibleRegion extends KeyMask {
  /** Query heads that are side by side: rows per query. */
  readonly group: number;
}

/** A cut of the rows into blocks and of the keys into tiles; 0 rows or keys: that side is not looped over. */
export interface Grain {
  readonly rows: number;
  readonly keys: number;
}
