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

/** The flat index of a row. */
export const rowAt = ({ heads, queries }: Rows, { b, h, p }: RowPlace): number => (b * heads + h) * queries + p;

/** b * H + h of a row: its query head, numbered through the batches. */
export const headOf = ({ queries }: Rows, row: number): number => Math.floor(row / queries);

/** Its coordinates. */
export function placeOf(shape: Rows, row: number): RowPlace {
  const head = headOf(shape, row);
  return { b: batchOf(shape, row), h: head % shape.heads, p: row % shape.queries };
}

export const batchOf = ({ heads, queries }: Rows, row: number): number => Math.floor(row / (heads * queries));

/** All output rows of a problem. */
export const allRows = ({ shape }: { readonly shape: AttentionShape }): RowRange => ({
  start: 0,
  end: shape.batch * shape.heads * shape.queries,
});

/** The rows of a query head, numbered through the batches. */
export const rowsOfHead = ({ queries }: Rows, head: number): RowRange => ({
  start: head * queries,
  end: (head + 1) * queries,
});
