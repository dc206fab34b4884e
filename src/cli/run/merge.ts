import { closeSync, openSync, readSync } from "node:fs";
import { type CheckResult, joinChecks, type OperandCheck } from "../../emulator/check.js";
import { ErrorStatistics } from "../../emulator/error-statistics.js";
import { InputError, UsageError } from "../../errors.js";
import { hashOfPieces } from "../../io/hash-of-values.js";
import { readWithoutWaiting } from "../../io/regular-file.js";
import type { ShardFile } from "../../io/shard-file.js";
import { checkResult, jsonText } from "../../report/finite.js";
import type { RunResult } from "../../report/run-result.js";
import { runText } from "../../report/run-text.js";
import { requireEnding, requireOwnPaths } from "../output-files.js";
import { withHeader, wrongHeader } from "../shard/header-schema.js";
import { readRecord, recordBytes } from "./error-records.js";
import { writeOutput } from "./outputs.js";
import { type RunShardHeader, runHeaderSchema } from "./shard-header.js";
import { judge, noteRowsWithoutKeys } from "./verdict.js";

export interface MergedOutput {
  readonly out?: readonly string[];
  readonly json?: boolean;
}

type RunShard = ShardFile<RunShardHeader>;

/** Joins the shards of a run, in their order: what `fusemax run` writes and says. Returns the exit code. */
export async function mergeRun(given: readonly ShardFile[], { out = [], json }: MergedOutput): Promise<number> {
  const files = given.map(file => withHeader<RunShardHeader>(file, runHeaderSchema));
  requireAllRows(files);
  const [first] = files;
  const [output, ...others] = out;
  if (first === undefined) return 0;
  if (others.length > 0)
    throw new UsageError({ where: "--out", got: `${out.length} files`, expected: "one, of a run" });
  requireEnding("--out", output, [".npy", ".safetensors"]);
  requireOwnPaths([], { "--out": output });
  const { result: template, layout, maxError } = first.header;
  const [b = 1, h = 1, p = 1, f = 1] = template.output.shape;
  const rows = rowReader(files);
  if (output !== undefined) await writeOutput(output, [b, h, p, f], template.arithmetic.name, rows, layout);
  const error = errorOf(files, template);
  const result: RunResult = {
    ...template,
    saturated: { ...template.saturated, p: sumOf(files, ({ saturated }) => saturated.p) },
    output: { ...template.output, sha256: await hashOfPieces(allPieces(rows, b * h * p, f)), file: output ?? null },
    error,
    time: timeOf(files),
  };
  const note = (line: string): void => void process.stderr.write(`fusemax: ${line}\n`);
  noteOtherEngines(files, note);
  noteRowsWithoutKeys(result.output.rowsWithoutKeys, note);
  process.stdout.write(inWords(result, first.path, json === true));
  return judge(maxError === null ? {} : { maxError }, error, note);
}

/** What the schema leaves to whoever prints it. @throws InputError for a result that cannot be */
function inWords(result: RunResult, path: string, json: boolean): string {
  try {
    return json ? jsonText(result, 2) : runText(checkResult(result));
  } catch (error) {
    if (error instanceof TypeError) throw wrongHeader(path, "result");
    throw error;
  }
}

/** @throws InputError where rows do not follow each other from the first to the last, or a shard has not the values of its own */
function requireAllRows(files: readonly RunShard[]): void {
  let next = 0;
  for (const [i, { path, from, to, header }] of files.entries()) {
    const { rows, width, checkedRows, result } = header;
    const [b, h, p, f] = result.output.shape as readonly [number, number, number, number];
    const bytes = 4 * width * (rows.end - rows.start) + recordBytes * (checkedRows ?? 0);
    const ends = i + 1 < files.length || rows.end === b * h * p;
    if (rows.start !== next || rows.end < next || width !== f || !ends || to - from !== bytes) {
      throw wrongHeader(path, "number of rows");
    }
    next = rows.end;
  }
}

const sumOf = (files: readonly RunShard[], of: (result: RunResult) => number): number =>
  files.reduce((sum, { header }) => sum + of(header.result), 0);

/** Seconds of all shards together; operations over them. */
function timeOf(files: readonly RunShard[]): RunResult["time"] {
  const seconds = (of: (time: RunResult["time"]) => number): number => sumOf(files, ({ time }) => of(time));
  const emulateSeconds = seconds(time => time.emulateSeconds);
  const gflop = seconds(time => time.gflops * time.emulateSeconds);
  return {
    totalSeconds: seconds(time => time.totalSeconds),
    emulateSeconds,
    gflops: emulateSeconds === 0 ? 0 : gflop / emulateSeconds,
    checkSeconds: seconds(time => time.checkSeconds),
    resumedRows: seconds(time => time.resumedRows),
  };
}

/** Shards may have run on different machines: the bits are the same, and the first one's engine is named. */
function noteOtherEngines(files: readonly RunShard[], note: (line: string) => void): void {
  const names = new Set(
    files.map(({ header: { result } }) => [result.engine.name, result.engine.adapter].filter(Boolean).join(", ")),
  );
  if (names.size > 1) note(`shards ran on different engines: ${[...names].join("; ")}`);
}

/** The errors of all rows, added up in their order. */
function errorOf(files: readonly RunShard[], { output, workload }: RunResult): CheckResult | null {
  const [first] = files;
  if (first === undefined || first.header.checkedRows === null) return null;
  const { hasBaseline, width } = first.header;
  const [onOperands, ofBaseline, onInputs] = [new ErrorStatistics(), new ErrorStatistics(), new ErrorStatistics()];
  let checkedRows = 0;
  for (const { path, to, header } of files) {
    const rows = header.checkedRows ?? 0;
    for (const bytes of piecesOfFile(path, to - rows * recordBytes, to, recordBytes)) {
      for (let at = 0; at < bytes.length; at += recordBytes) {
        const record = readRecord(bytes, at, width, hasBaseline);
        onOperands.addRow(record.onOperands);
        if (record.baseline !== null) ofBaseline.addRow(record.baseline);
        onInputs.addRow(record.onInputs);
        checkedRows += 1;
      }
    }
  }
  const shape = { heads: workload.heads, queries: output.shape[2] ?? 1 };
  const check: OperandCheck = {
    ...onOperands.summary(),
    worst: onOperands.worst(shape),
    checkedRows,
    baseline: hasBaseline ? ofBaseline.summary() : null,
  };
  return joinChecks(check, { ...onInputs.summary(), worst: onInputs.worst(shape) });
}

/** The rows [from, to) of the output, from the shards that have them. */
const rowReader =
  (files: readonly RunShard[]) =>
  (from: number, to: number): Float32Array => {
    const width = files[0]?.header.width ?? 1;
    const values = new Float32Array((to - from) * width);
    const bytes = new Uint8Array(values.buffer);
    for (const { path, from: begin, header } of files) {
      const { start, end } = header.rows;
      const [first, last] = [Math.max(from, start), Math.min(to, end)];
      if (first >= last) continue;
      const offset = begin + (first - start) * width * 4;
      readFully(path, bytes.subarray((first - from) * width * 4, (last - from) * width * 4), offset);
    }
    return values;
  };

const pieceBytes = 2 ** 23;

function* allPieces(rows: (from: number, to: number) => Float32Array, count: number, width: number) {
  const step = Math.max(1, Math.floor(pieceBytes / (4 * width)));
  for (let from = 0; from < count; from += step) yield rows(from, Math.min(from + step, count));
}

/** The bytes [from, to) of a file in pieces of whole units. */
function* piecesOfFile(path: string, from: number, to: number, unit: number): Generator<Buffer> {
  const step = unit * Math.max(1, Math.floor(pieceBytes / unit));
  for (let at = from; at < to; at += step) {
    const piece = Buffer.alloc(Math.min(step, to - at));
    readFully(path, piece, at);
    yield piece;
  }
}

function readFully(path: string, target: Uint8Array, offset: number): void {
  const handle = openSync(path, readWithoutWaiting);
  try {
    for (let filled = 0; filled < target.length; ) {
      const read = readSync(handle, target, filled, target.length - filled, offset + filled);
      if (read === 0) throw new InputError({ where: path, got: "a shard that was cut short", expected: "all of it" });
      filled += read;
    }
  } finally {
    closeSync(handle);
  }
}
