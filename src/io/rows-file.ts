import { existsSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { crc32 } from "node:zlib";
import type { RowRange } from "../attention/rows.js";
import { InputError } from "../errors.js";
import { writeAtomically } from "./atomic-write.js";
import { fileSource } from "./bytes.js";
import { requireRegular } from "./regular-file.js";
import type { RunIdentity } from "./run-identity.js";
import { systemError } from "./system-error.js";

// The finished rows of a long run, kept on the disk so that a killed run goes on where it stopped.
//
// A line of JSON says which run the rows belong to; it is written whole or not at all. Then come records, each appended
// in one write: 32 bytes of head (mark, checksum of the head, first row, end row, checksum of the values, 4 bytes of
// zero) and the rows' values as little-endian fp32. A process killed in the middle of a write leaves a last record cut
// short, which the next run drops. Records may overlap and come in any order.

const schema = "fusemax.rows/1";
const mark = 0x53574f52; // "ROWS"
const headBytes = 32;
/** Flush to the disk at most this often: a killed process loses nothing either way, a power cut loses this much. */
const flushMilliseconds = 1000;

export interface RowsFile {
  /** Rows that were found finished, in ascending order, merged; their values are in the output. */
  readonly finished: readonly RowRange[];
  /** Bytes that could not be used (a record cut short or damaged): their rows are computed again. */
  readonly droppedBytes: number;
  /** Adds finished rows. @throws InputError when the disk is full or the file can't be written. */
  append(range: RowRange, values: Float32Array): Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens the file of finished rows of a run, or begins one, and puts the rows it holds into `output` [rows, width].
 * @throws InputError when the file belongs to another run or is something else.
 */
export async function openRowsFile(
  path: string,
  identity: RunIdentity,
  output: Float32Array,
  width: number,
): Promise<RowsFile> {
  const header = new TextEncoder().encode(`${JSON.stringify({ schema, ...identity })}\n`);
  const length = lengthOf(path);
  const found = length === 0 ? null : await readHeader(path, length, header);
  if (found === null) await writeAtomically(path, [header]);
  const { ranges, usedBytes } = await readRecords(path, found ?? header.length, output, width);
  const handle = await openForAppending(path);
  const size = (await handle.stat()).size;
  // A tail that is no record would hide what is appended after it.
  if (usedBytes.end < size) await handle.truncate(usedBytes.end);
  return {
    finished: mergeRanges(ranges),
    droppedBytes: size - usedBytes.end + usedBytes.damaged,
    append: appender(path, handle),
    close: async () => {
      await handle.sync().catch(() => undefined);
      await handle.close();
    },
  };
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

/** Where the records start; null when the file ends inside its own header: it holds nothing. */
async function readHeader(path: string, length: number, header: Uint8Array): Promise<number | null> {
  const source = await fileSource(path);
  let line = "";
  // A header is about a thousand bytes, or a few more for each batch's length.
  for await (const piece of source.read(0, Math.min(length, 2 ** 24))) {
    const end = piece.indexOf(0x0a);
    line += new TextDecoder().decode(end < 0 ? piece : piece.subarray(0, end));
    if (end >= 0) {
      compare(path, line, header);
      return new TextEncoder().encode(line).length + 1;
    }
  }
  if (new TextDecoder().decode(header).startsWith(line)) return null;
  throw notRows(path);
}

function compare(path: string, line: string, header: Uint8Array): void {
  const expected = JSON.parse(new TextDecoder().decode(header)) as Readonly<Record<string, unknown>>;
  let got: ({ readonly schema?: unknown } & Readonly<Record<string, unknown>>) | null;
  try {
    got = JSON.parse(line) as typeof got;
  } catch {
    throw notRows(path);
  }
  if (got?.schema !== schema) throw notRows(path);
  for (const [name, value] of Object.entries(expected)) {
    if (JSON.stringify(got[name]) === JSON.stringify(value)) continue;
    const isTensor = name === "q" || name === "k" || name === "v";
    throw new InputError({
      where: path,
      got: isTensor ? `rows of another input (${name} differs)` : `rows of a run with ${name} ${show(got[name])}`,
      expected: isTensor ? "rows of this run's input" : `rows of this run, ${name} ${show(value)}`,
      mend: "give the same options and inputs as before, or another file",
    });
  }
}

const show = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value));

const notRows = (path: string): InputError =>
  new InputError({
    where: path,
    got: "something that is not a file of finished rows",
    expected: `a file that --resume began (${schema}), or a new name`,
  });

interface Records {
  readonly ranges: readonly RowRange[];
  readonly usedBytes: { readonly end: number; readonly damaged: number };
}

/** Reads record after record; stops at the first that is cut short or has a damaged head, skips damaged values. */
async function readRecords(path: string, start: number, output: Float32Array, width: number): Promise<Records> {
  const ranges: RowRange[] = [];
  const rows = output.length / width;
  let damaged = 0;
  let at = start;
  const handle = await open(path, "r");
  const { size } = await handle.stat();
  try {
    const head = Buffer.alloc(headBytes);
    for (;;) {
      const { bytesRead } = await handle.read(head, 0, headBytes, at);
      if (bytesRead < headBytes) break;
      const range = { start: Number(head.readBigUInt64LE(8)), end: Number(head.readBigUInt64LE(16)) };
      const headIsGood = head.readUInt32LE(0) === mark && head.readUInt32LE(4) === crc32(head.subarray(8));
      if (!headIsGood || !(range.start < range.end && range.end <= rows)) break;
      const length = (range.end - range.start) * width * 4;
      if (at + headBytes + length > size) break;
      const values = new Uint8Array(length);
      if ((await readFully(handle, values, at + headBytes)) < values.length) break;
      at += headBytes + values.length;
      if (crc32(values) !== head.readUInt32LE(24)) {
        damaged += headBytes + values.length;
        continue;
      }
      output.set(new Float32Array(values.buffer), range.start * width);
      ranges.push(range);
    }
  } finally {
    await handle.close();
  }
  return { ranges, usedBytes: { end: at, damaged } };
}

async function readFully(handle: FileHandle, target: Uint8Array, position: number): Promise<number> {
  let filled = 0;
  while (filled < target.length) {
    const { bytesRead } = await handle.read(target, filled, target.length - filled, position + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return filled;
}

function appender(path: string, handle: FileHandle): RowsFile["append"] {
  let flushed = performance.now();
  let last = Promise.resolve();
  const append = async (range: RowRange, values: Float32Array): Promise<void> => {
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    const record = Buffer.alloc(headBytes + bytes.length);
    record.set(bytes, headBytes);
    record.writeBigUInt64LE(BigInt(range.start), 8);
    record.writeBigUInt64LE(BigInt(range.end), 16);
    record.writeUInt32LE(crc32(bytes), 24);
    record.writeUInt32LE(mark, 0);
    record.writeUInt32LE(crc32(record.subarray(8, headBytes)), 4);
    const before = (await handle.stat()).size;
    try {
      for (let at = 0; at < record.length; ) at += (await handle.write(record, at)).bytesWritten;
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
          expected: `room for ${record.length} bytes more`,
          mend: "rows finished so far are kept; make room and run the same command again",
        },
        { cause: error },
      );
    }
  };
  // One record after the other, whoever asks.
  return (range, values) => {
    last = last.then(() => append(range, values));
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
