import { finite } from "./finite.js";

/** A table with a header: numbers or text in each cell. */
export interface Table {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | number)[])[];
}

/**
 * The table as aligned text: columns two spaces apart, a line under the header; columns of numbers (or of texts that
 * begin with a digit, such as "1.2 ms") to the right, others to the left.
 * @example
 * ```ts
 * import { textTable } from "fusemax";
 *
 * console.log(textTable({ columns: ["design", "cycles"], rows: [["flat", 20], ["fusemax", 10]] }).split("\n").length); // 4
 * ```
 */
export function textTable({ columns, rows }: Table): string {
  const shown = (cell: string | number, column: string): string =>
    String(typeof cell === "number" ? finite(cell, column) : cell);
  const cells = rows.map(row => columns.map((column, c) => shown(row[c] ?? "", column)));
  const widths = columns.map((name, c) => Math.max(name.length, ...cells.map(row => (row[c] ?? "").length)));
  const right = columns.map((_, c) => cells.length > 0 && cells.every(row => /^([-+x]?[\d.]|-?$)/.test(row[c] ?? "")));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, c) => (right[c] ? cell.padStart(widths[c] as number) : cell.padEnd(widths[c] as number)))
      .join("  ")
      .trimEnd();
  return [line(columns), widths.map(w => "-".repeat(w)).join("  "), ...cells.map(line)].join("\n");
}

/** A table of records: a column each of `columns`, empty where a record has no such field. */
export function recordTable(
  columns: readonly string[],
  records: readonly Readonly<Record<string, string | number | null | undefined>>[],
): Table {
  return { columns, rows: records.map(record => columns.map(column => record[column] ?? "")) };
}
