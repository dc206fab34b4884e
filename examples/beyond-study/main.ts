import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { textTable } from "fusemax";
import { csvText, writeAtomically } from "fusemax/node";
import type { Table } from "#fusemax/report/table";
import { withTable } from "../arithmetic-study/page.js";
import { note, parseOptions, runProgram } from "../command-line.js";
import { projectRoot } from "../sentence-encoder/text.js";
import { front, speedups } from "./figures.js";
import { search } from "./search.js";
import {
  bestTable,
  errorTable,
  portsTable,
  rescalesTable,
  searchedTable,
  shippedTable,
  stepsTable,
  trafficTable,
} from "./tables.js";

const usage = `Searches machines no larger than FuseMax: the numbers, figures and tables of docs/beyond-fusemax.md.

  npm run study:beyond
`;

/** The accounting, said in the table itself. */
const corrected = ({ columns: [first, ...others], rows }: Table): Table => ({
  columns: [`${first} (corrected accounting)`, ...others],
  rows,
});

async function main(): Promise<void> {
  const root = projectRoot();
  const folder = join(root, "docs/beyond-fusemax");
  await mkdir(folder, { recursive: true });
  const write = (path: string, text: string): Promise<unknown> =>
    writeAtomically(path, [new TextEncoder().encode(text)]);
  const start = performance.now();
  const found = search((done, all) => {
    if (done % 20 === 0 || done === all) note(`${done} of ${all} machines`);
  });
  const tables: Readonly<Record<string, Table>> = {
    best: corrected(bestTable(found)),
    shipped: corrected(shippedTable()),
    steps: corrected(stepsTable()),
    error: await errorTable(16, 2048),
    rescales: rescalesTable(256, 8192),
    ports: corrected(portsTable()),
    traffic: corrected(trafficTable()),
  };
  await write(join(folder, "searched.csv"), csvText(searchedTable(found)));
  await write(join(folder, "front.svg"), front(found));
  await write(join(folder, "speedups.svg"), speedups());
  const page = join(root, "docs/beyond-fusemax.md");
  let text = await readFile(page, "utf8");
  for (const [name, table] of Object.entries(tables)) {
    await write(join(folder, `${name}.csv`), csvText(table));
    text = withTable(text, name, table);
    process.stdout.write(`${name}\n\n${textTable(table)}\n\n`);
  }
  await write(page, text);
  note(`figures and numbers in ${folder}, ${((performance.now() - start) / 1000).toFixed(0)} s`);
}

const readOptions = (): true | null => (parseOptions({ help: { type: "boolean", short: "h" } }).help ? null : true);

await runProgram("study:beyond", usage, readOptions, main);
