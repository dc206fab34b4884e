import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseCsv } from "../../io/csv.js";
import { specFiles } from "../../io/spec-files.js";
import { paperEvaluation } from "../../model/evaluation.js";
import { publishedTables } from "../../report/reproduction.js";
import { type Table, textTable } from "../../report/table.js";

// npm run reproduce:check [-- FOLDER]: the largest relative error of each table and column against the authors' published
// tables: those that this project ships, and those in a folder.

/** Latency, traffic and utilizations are to agree to 1e-12, energies and areas to 1e-9. */
const boundOf = (column: string): number => (/energy|area/.test(column) ? 1e-9 : 1e-12);

const project = fileURLToPath(new URL("../../..", import.meta.url));
const folders = [join(project, "test/golden/published"), ...process.argv.slice(2).map(folder => resolve(folder))];

const evaluation = paperEvaluation(specFiles, { attention: true, endToEnd: true, pareto: true });
const tables = publishedTables(evaluation);
let worst = 0;
for (const folder of folders) {
  if (![...tables.keys()].some(name => existsSync(join(folder, `${name}.csv`)))) {
    process.stderr.write(`${folder}: none of ${[...tables.keys()].join(".csv, ")}.csv; expected published tables\n`);
    worst = Number.POSITIVE_INFINITY;
    continue;
  }
  const rows = [...tables].flatMap(([name, table]) => compare(name, table, join(folder, `${name}.csv`)));
  process.stdout.write(`Largest relative errors against ${folder}\n\n`);
  process.stdout.write(`${textTable({ columns: ["table", "rows", "column", "error", "bound"], rows })}\n\n`);
}
process.exitCode = worst > 1 ? 1 : 0;

/** A row per column of numbers: the table, the rows compared, the largest error, and its bound. */
function compare(name: string, ours: Table, path: string): (readonly (string | number)[])[] {
  if (!existsSync(path)) return [[`${name}.csv`, 0, "absent", "", ""]];
  const { columns, rows } = parseCsv(readFileSync(path, "utf8"));
  const keys = columns.indexOf("traffic");
  const keyOf = (row: readonly (string | number)[]): string => row.slice(0, keys).join();
  const known = new Map(ours.rows.map(row => [keyOf(row), row]));
  return columns.slice(keys).map((column, c) => {
    const at = ours.columns.indexOf(column);
    const errors = rows.map(row => {
      const want = Number(row[keys + c]);
      const got = Number(known.get(keyOf(row))?.[at]);
      return Math.abs(got - want) / Math.abs(want);
    });
    const error = Math.max(...errors);
    const bound = boundOf(column);
    worst = Math.max(worst, Number.isNaN(error) ? Number.POSITIVE_INFINITY : error / bound);
    return [
      c === 0 ? `${name}.csv` : "",
      c === 0 ? rows.length : "",
      column,
      error.toExponential(1),
      bound.toExponential(0),
    ];
  });
}
