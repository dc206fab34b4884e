import type { EinsumName } from "./einsums.js";

/**
 * What an array does in one cycle at its first column. It moves through the array with the operands: PE (r, c) does it
 * r + c cycles later, 1D PE c does it c cycles later.
 */
export interface Instruction {
  readonly einsum: EinsumName;
  /** e, f, or the step of an exponential; for AV, f times the cycles of a division. */
  readonly step: number;
  readonly tile: TileOperands;
}

/** A tile by its place in the order of execution, and what exists of it. */
export interface TileOperands {
  readonly index: number;
  readonly head: number;
  readonly queryTile: number;
  readonly keyTile: number;
  /** Keys and queries that exist: the array's rows and columns, fewer in the last tiles. */
  readonly rows: number;
  readonly columns: number;
  /** Whether the query of a column sees the key of a row. */
  readonly sees: (r: number, c: number) => boolean;
  /** It has its queries' first key tile, or their last. */
  readonly firstKeys: boolean;
  readonly lastKeys: boolean;
  /** It is the first of its query block to use its key tile. */
  readonly newKeys: boolean;
  /** Where its keys and its queries are in the order of arrival (`ArrivalSchedule`). */
  readonly keyArrival: number;
  readonly queryArrival: number;
}
