import { SpecError } from "../errors.js";
import type { Path } from "../spec/document.js";
import type { Formula } from "../spec/expression.js";
import type { Mapping } from "../spec/mapping.js";
import type { Place } from "./field-reads.js";
import type { Definition } from "./symbols.js";

/** Adds a symbol's definition. */
export type Define = (name: string, rule: Definition["rule"], at: Place, scope?: string) => void;

/** Declares a table's row and columns as symbols. Throws SpecError when it is none. */
export function defineTable(
  name: string,
  table: NonNullable<Mapping["tables"]>[string],
  define: Define,
  inMapping: (path: Path) => Place,
): DeclaredTable {
  const at = inMapping(["tables", name]);
  const keys = table.by.map(key => table.columns.indexOf(key));
  const narrow = table.rows.findIndex(row => row.length !== table.columns.length);
  if (narrow >= 0 || keys.includes(-1) || table.rows.length === 0) {
    throw new SpecError({
      where: inMapping(narrow >= 0 ? ["tables", name, "rows", narrow] : ["tables", name])(),
      got: narrow >= 0 ? `a row of ${table.rows[narrow]?.length} cells` : "a table without rows or keys",
      expected: `rows of the ${table.columns.length} columns, keyed by some of them`,
    });
  }
  // The largest key that is not above the workload's, first key first; the smallest where all are above.
  const matching = (wanted: readonly number[]): readonly number[] => {
    let rows = table.rows.map((_, i) => i);
    wanted.forEach((value, k) => {
      const column = keys[k] as number;
      const cell = (i: number): number => table.rows[i]?.[column] as number;
      const below = rows.map(cell).filter(key => key <= value);
      const best = below.length > 0 ? Math.max(...below) : Math.min(...rows.map(cell));
      rows = rows.filter(i => cell(i) === best);
    });
    return rows;
  };
  const read = (values: Float64Array, slots: readonly number[]): number[] => slots.map(slot => values[slot] as number);
  if (table.search !== 1) {
    const compute = (values: Float64Array, slots: readonly number[]): number =>
      matching(read(values, slots))[0] as number;
    define(`${name}.row`, { reads: table.by, compute }, at);
  }
  table.columns.forEach((column, c) => {
    const compute = (values: Float64Array, slots: readonly number[]): number =>
      table.rows[values[slots[0] as number] as number]?.[c] as number;
    define(`${name}.${column}`, { reads: [`${name}.row`], compute }, at);
  });
  const first = table.by.slice(0, 1);
  return { name, first, candidates: (values, slots) => matching(read(values, slots)) };
}

/** A table as it is declared: which rows a search may choose from, by its first key. */
export interface DeclaredTable {
  readonly name: string;
  readonly first: readonly string[];
  readonly candidates: (values: Float64Array, slots: readonly number[]) => readonly number[];
}

/** Declares the bounds of ranks' parts as symbols. */
export function definePartitions(
  partitions: Readonly<Record<string, Readonly<Record<string, Formula>>>>,
  define: Define,
  at: (path: Path) => Place,
  scope?: string,
): void {
  for (const [rank, parts] of Object.entries(partitions)) {
    const bounds = Object.entries(parts);
    bounds.forEach(([part, formula], i) => {
      if (formula !== "rest") {
        define(part, formula, at([rank, part]), scope);
        return;
      }
      if (i > 0) {
        const fix = "write the parts outermost first";
        throw new SpecError({
          where: at([rank, part])(),
          got: "rest",
          expected: "rest only for the outermost part",
          fix,
        });
      }
      const inner = bounds.slice(1).map(([name]) => name);
      const compute = (values: Float64Array, [size, ...parts]: readonly number[]): number =>
        Math.ceil((values[size as number] as number) / parts.reduce((p, s) => p * Math.max(1, values[s] as number), 1));
      define(part, { reads: [rank, ...inner], compute }, at([rank, part]), scope);
    });
  }
}
