import type { Table } from "#fusemax/report/table";

/** What a part of the study found. */
export interface Part {
  /** The start of its files' names. */
  readonly name: string;
  /** Every number, for the CSV file. */
  readonly numbers: Table;
  /** What is printed, under headings. */
  readonly printed: readonly { readonly heading: string; readonly table: Table }[];
  /** SVG documents by the ends of their files' names. */
  readonly figures: Readonly<Record<string, string>>;
}

/** An error for a table: two digits. */
export const shown = (x: number): string => (Number.isFinite(x) ? (x === 0 ? "0" : x.toExponential(1)) : "-");
/** A number near 1: three digits. */
export const share = (x: number): string => (Number.isFinite(x) ? x.toPrecision(3) : "-");
