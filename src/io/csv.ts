import { InputError } from "../errors.js";
import { finite } from "../report/finite.js";
import type { Table } from "../report/table.js";

/**
 * The table as CSV (RFC 4180, lines ending in \n). Numbers are written so that reading them gives the same double.
 * @example
 * ```ts
 * import { csvText } from "fusemax/node";
 *
 * console.log(csvText({ columns: ["design", "cycles"], rows: [["flat", 20]] }).trim().split("\n").at(-1)); // flat,20
 * ```
 */
export function csvText({ columns, rows }: Table): string {
  return `${[columns, ...rows].map(row => row.map(csvCell).join(",")).join("\n")}\n`;
}

/** One cell: quoted when it holds a comma, a quote or a line end. Throws ResultError for a number that is none. */
export function csvCell(value: string | number): string {
  const text = String(typeof value === "number" ? finite(value, "CSV") : value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/**
 * Reads CSV: cells as text, the first line as the header. @throws InputError for text after a quoted cell or a stray
 * quote.
 */
export function parseCsv(text: string): { readonly columns: readonly string[]; readonly rows: readonly string[][] } {
  const rows: string[][] = [[]];
  const cell = /("(?:[^"]|"")*"|[^",\r\n]*)(,|\r?\n|$)/y;
  for (let end = ","; end === "," || cell.lastIndex < text.length; ) {
    const at = cell.lastIndex;
    const match = cell.exec(text);
    if (match === null) {
      const got = JSON.stringify(text.slice(at, at + 20));
      throw new InputError({ where: `CSV line ${rows.length}`, got, expected: "cells between commas, quotes doubled" });
    }
    const [, value = ""] = match;
    end = match[2] ?? "";
    rows.at(-1)?.push(value.startsWith('"') ? value.slice(1, -1).replaceAll('""', '"') : value);
    if (end !== "," && cell.lastIndex < text.length) rows.push([]);
  }
  return { columns: rows[0] ?? [], rows: rows.slice(1) };
}
