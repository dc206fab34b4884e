import { existsSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { crc32 } from "node:zlib";
import type { RowRange } from "../attention/rows.js";
import { InputError } from "../errors.js";
import { writeAtomically } from "./atomic-write.js";
import { readWhole } from "./byte-source.js";
import { fileSource } from "./bytes.js";
import { programVersion } from "./program-identity.js";
import { requireRegular } from "./regular-file.js";
import {
  type FinishedRows,
  type FoundRecords,
  type OutputRows,
  readRecords,
  record,
  valuesAt,
} from "./rows-records.js";
import type { RunIdentity } from "./run-identity.js";
import { systemError } from "./system-error.js";

export type { FinishedRows, OutputRows } from "./rows-records.js";

// The finished rows of a long run, kept on the disk so that a killed run goes on where it stopped.
//
// A line of JSON, with its checksum, says which run the rows belong to; it is written whole or not at all. Then come records
// (rows-records.ts), each appended in one write. A process killed in the middle of a write leaves a last record cut short, which
// the next run drops, as it drops whatever a disk has damaged, the first line included: records say themselves whose they are.

const schema = "fusemax.rows/3";
/** Flush to the disk at most this often: a killed process loses nothing either way, a power cut loses this much. */
const flushMilliseconds = 1000;

export interface RowsFile {
  /** Rows that were found finished, in ascending order, merged; their values are in the output. */
  readonly finished: readonly RowRange[];
  /** Softmax numerators of those rows that were past the largest value of their type. */
  readonly saturated: number;
  /** Bytes that could not be used (a record cut short or damaged): their rows are computed again. */
  readonly droppedBytes: number;
  /** Adds finished rows. @throws InputError when the disk is full or the file can't be written. */
  append(rows: FinishedRows, values: Float32Array): Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens the file of finished rows of a run, or begins one, and puts the rows it holds into `output`.
 * @throws InputError when the file belongs to another run or is something else.
 */
export async function openRowsFile(path: string, identity: RunIdentity, output: OutputRows): Promise<RowsFile> {
  const fields = { schema, program: programVersion(), ...identity };
  const json = JSON.stringify(fields);
  const header = Buffer.from(`${json} ${checksumOf(json)}\n`);
  const run = crc32(header);
  const length = lengthOf(path);
  const begins = length > 0 ? await beginningOf(path, length, header.length) : Buffer.alloc(0);
  const hasHeader = begins.equals(header);
  if (!hasHeader) refuseOther(path, begins.toString("utf8"), fields);
  const { ranges, usedBytes, end } =
    length > 0 ? await readRecords(path, hasHeader ? header.length : 0, run, output) : nothing;
  const isNew = header.subarray(0, length).equals(begins) || begins.every(byte => byte === 0);
  if (!hasHeader && ranges.length === 0 && !isNew) throw notRows(path);
  const finished = mergeRanges(ranges);
  const used = usedBytes + (hasHeader ? header.length : 0);
  const damaged = !hasHeader || used < end;
  if (damaged) await writeAtomically(path, whole(header, ranges, run, output));
  const handle = await openForAppending(path);
  // A tail that is no record would hide what is appended after it.
  if (!damaged && end < length) await handle.truncate(end);
  return {
    finished,
    saturated: ranges.reduce((sum, { saturated }) => sum + saturated, 0),
    droppedBytes: hasHeader || ranges.length > 0 ? length - used : 0,
    append: appender(path, handle, run),
    close: async () => {
      await handle.sync().catch(() => undefined);
      await handle.close();
    },
  };
}

const checksumOf = (json: string): string => crc32(json).toString(16).padStart(8, "0");

const nothing: FoundRecords = { ranges: [], usedBytes: 0, end: 0 };

/** The file without what was damaged. */
function* whole(
  header: Uint8Array,
  ranges: readonly FinishedRows[],
  run: number,
  output: OutputRows,
): Generator<Uint8Array> {
  yield header;
  for (const range of ranges) yield record(run, range, valuesAt(output, range));
}

function lengthOf(path: string): number {
  return existsSync(path) ? requireRegular(path, "a file of finished rows").size : 0;
}

async function openForAppending(path: string): Promise<FileHandle> {
  try {
    return await open(path, "a");
  } catch (error) {
    throw new InputError({ where: path, got: systemError(error), expected: "a file that can be written" });
  }
}

/** The first line with its end, or as many bytes as a header has where there is none so early. */
async function beginningOf(path: string, length: number, headerBytes: number): Promise<Buffer> {
  const source = await fileSource(path);
  const most = Math.min(length, Math.max(headerBytes, longestHeader));
  const bytes = Buffer.from(await readWhole(source, 0, most));
  const end = bytes.indexOf(0x0a);
  return end < 0 ? bytes : bytes.subarray(0, end + 1);
}

/** A header is about a thousand bytes, or a few more for each batch's length; a cascade's text comes on top. */
const longestHeader = 2 ** 20;

/** Refuses the rows of another run: a first line that is whole says so. */
function refuseOther(path: string, line: string, expected: Readonly<Record<string, unknown>>): void {
  const [, json, checksum] = /^(\{.*\}) ([0-9a-f]{8})\n$/.exec(line) ?? [];
  if (json === undefined || checksumOf(json) !== checksum) return;
  const got = JSON.parse(json) as Readonly<Record<string, unknown>>;
  if (got["schema"] !== schema) throw notRows(path);
  for (const [name, value] of Object.entries(expected)) {
    if (sameJson(got[name], value)) continue;
    const isTensor = name === "q" || name === "k" || name === "v";
    throw new InputError({
      where: path,
      got: isTensor ? `rows of another input (${name} differs)` : `rows of a run with ${name} ${show(got[name])}`,
      expected: isTensor ? "rows of this run's input" : `rows of this run, ${name} ${show(value)}`,
      fix: "give the same options and inputs as before, or another file",
    });
  }
}

/** Whether a value of the file's header is the expected one; nesting that no header has is another value. */
function sameJson(got: unknown, expected: unknown): boolean {
  if (Array.isArray(expected)) {
    return Array.isArray(got) && got.length === expected.length && expected.every((value, i) => got[i] === value);
  }
  return got === expected;
}

const show = (value: unknown): string =>
  typeof value === "object" && value !== null ? "something else" : String(value);

const notRows = (path: string): InputError =>
  new InputError({
    where: path,
    got: "another file",
    expected: `a file that --resume began (${schema}), or a new name`,
    problem: "is not a file of finished rows",
    fix: `give a file that --resume began (${schema}), or a new name`,
  });

function appender(path: string, handle: FileHandle, run: number): RowsFile["append"] {
  let flushed = performance.now();
  let last = Promise.resolve();
  const append = async (rows: FinishedRows, values: Float32Array): Promise<void> => {
    const bytes = record(run, rows, values);
    const before = (await handle.stat()).size;
    try {
      for (let at = 0; at < bytes.length; ) at += (await handle.write(bytes, at)).bytesWritten;
      if (performance.now() - flushed > flushMilliseconds) {
        await handle.datasync();
        flushed = performance.now();
      }
    } catch (error) {
      await handle.truncate(before).catch(() => undefined);
      throw new InputError(
        {
          where: path,
          got: systemError(error),
          expected: `room for ${bytes.length} bytes more`,
          fix: "rows finished so far are kept; make room and run the same command again",
        },
        { cause: error },
      );
    }
  };
  // One record after the other, whoever asks.
  return (rows, values) => {
    last = last.then(() => append(rows, values));
    return last;
  };
}

/** Ascending, disjoint ranges of the same rows. */
export function mergeRanges(ranges: readonly RowRange[]): readonly RowRange[] {
  const merged: { start: number; end: number }[] = [];
  for (const { start, end } of [...ranges].sort((a, b) => a.start - b.start)) {
    const previous = merged.at(-1);
    if (previous !== undefined && start <= previous.end) previous.end = Math.max(previous.end, end);
    else merged.push({ start, end });
  }
  return merged;
}
