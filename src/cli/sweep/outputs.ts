import { once } from "node:events";
import { extname } from "node:path";
import { howMany, UsageError } from "../../errors.js";
import { writeAtomically } from "../../io/atomic-write.js";
import { accountingLine } from "../../model/corrections.js";
import { conflict } from "../conflict.js";
import { pieces, type SweepResults, sweepCsv, sweepJson } from "./results.js";

export interface SweepOutputOptions {
  readonly out?: readonly string[];
  readonly json?: boolean;
}

const kinds = [".csv", ".json", ".svg"];

/** @throws UsageError for files that are not written, and for --json beside files */
export function checkSweepOutputs({ out = [], json }: SweepOutputOptions): void {
  const odd = out.find(file => !kinds.includes(extname(file).toLowerCase()));
  if (odd !== undefined)
    throw new UsageError({ where: "--out", got: `"${odd}"`, expected: `a name that ends in ${kinds.join(", ")}` });
  if (json === true && out.length > 0) {
    throw conflict("--json", "--out", "give --out FILE.json");
  }
}

/** Writes a table to the files of --out, and a line about it on standard output, or to standard output. @throws InputError */
export async function writeSweep(results: SweepResults, { out = [], json }: SweepOutputOptions): Promise<void> {
  const { table, size, failed, estimated } = results;
  if (estimated > 0) {
    process.stderr.write(
      `fusemax: CACTI's table lacks the buffer of ${estimated} of ${howMany(size, "point")}; its energy and area are interpolated or extrapolated\n`,
    );
  }
  if (out.length === 0) {
    for (const piece of pieces(json === true ? sweepJson(results) : sweepCsv(results))) await print(piece);
    return;
  }
  for (const file of out) await writeAtomically(file, encoded(pieces(await linesOf(results, file))));
  const unmapped = failed === 0 ? "" : `, ${failed} of them could not be mapped`;
  process.stdout.write(
    `${accountingLine(table.accounting, table.byDefault)}\n${howMany(size, "point")}${unmapped}; ${results.onFront()} on the Pareto front; in ${out.join(", ")}\n`,
  );
}

/** A table in the words that a file's name asks for. */
async function linesOf(results: SweepResults, file: string): Promise<Iterable<string>> {
  const kind = extname(file).toLowerCase();
  if (kind === ".csv") return sweepCsv(results);
  if (kind === ".json") return sweepJson(results);
  return [(await import("./chart.js")).sweepChart(results)];
}

/** Waits until whoever reads has room for more: a table may be larger than the memory. */
async function print(piece: string): Promise<void> {
  if (!process.stdout.write(piece)) await once(process.stdout, "drain");
}

function* encoded(texts: Iterable<string>): Generator<Uint8Array> {
  const encoder = new TextEncoder();
  for (const text of texts) yield encoder.encode(text);
}
