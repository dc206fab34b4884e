import { groupOf, headPlace, headsOf, type SharedHeads } from "./heads.js";
import type { AttentionShape } from "./shape.js";

/** An output row by its coordinates. */
export interface RowPlace {
  readonly b: number;
  readonly h: number;
  readonly p: number;
}

/**
 * Output rows [start, end) of the flat row index (b * H + h) * P + p: the unit in which work is cut, checked and
 * resumed.
 */
export interface RowRange {
  readonly start: number;
  readonly end: number;
}

type Rows = Pick<AttentionShape, "heads" | "queries">;
type SharedRows = SharedHeads & Pick<AttentionShape, "queries">;

/** The flat index of a row. */
export const rowAt = ({ heads, queries }: Rows, { b, h, p }: RowPlace): number => (b * heads + h) * queries + p;

/** b * H + h of a row: its query head, numbered through the batches. */
export const headOf = ({ queries }: Rows, row: number): number => Math.floor(row / queries);

/** Its query position p. */
export const queryOf = ({ queries }: Rows, row: number): number => row % queries;

/** Its coordinates. */
export const placeOf = (shape: Rows, row: number): RowPlace => ({
  ...headPlace(shape, headOf(shape, row)),
  p: queryOf(shape, row),
});

export const batchOf = ({ heads, queries }: Rows, row: number): number => Math.floor(row / (heads * queries));

/** All output rows of a problem. */
export const allRows = ({ shape }: { readonly shape: AttentionShape }): RowRange => ({
  start: 0,
  end: headsOf(shape) * shape.queries,
});

/** The rows of a query head, numbered through the batches. */
export const rowsOfHead = ({ queries }: Rows, head: number): RowRange => ({
  start: head * queries,
  end: (head + 1) * queries,
});

/** Output rows that read one key/value head: its query heads are neighbours in the flat row index. */
export const rowsPerKvHead = (shape: SharedRows): number => groupOf(shape) * shape.queries;

/** The key/value head that a row reads, numbered through the batches. */
export const kvHeadOfRow = (shape: SharedRows, row: number): number => Math.floor(row / rowsPerKvHead(shape));

/** The rows that read a key/value head. */
export const rowsOfKvHead = (shape: SharedRows, kvHead: number): RowRange => ({
  start: kvHead * rowsPerKvHead(shape),
  end: (kvHead + 1) * rowsPerKvHead(shape),
});

/** The flat index of key m of a key/value head among the rows of K and V, kvHead * M + m. */
export const keyRowAt = ({ keys }: Pick<AttentionShape, "keys">, kvHead: number, m: number): number =>
  kvHead * keys + m;
