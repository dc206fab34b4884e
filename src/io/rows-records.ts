import { type FileHandle, open } from "node:fs/promises";
import { crc32 } from "node:zlib";
import type { RowRange } from "../attention/rows.js";

// A record of finished rows: 40 bytes of head (mark, checksum of the head, first row, end row, numerators that saturated in the
// rows, checksum of the values, 4 bytes of zero) and the rows' values as little-endian fp32. The checksums begin with that of the
// run that the rows belong to. Records come in any order; one that overlaps another before it is not used, since its count
// cannot be taken apart.

const mark = Buffer.from("ROWS");
const headBytes = 40;

/** Finished rows [start, end), and how many softmax numerators in them were past the largest value of their type. */
export interface FinishedRows extends RowRange {
  readonly saturated: number;
}

/** Output rows from `first` on, [rows, width]. */
export interface OutputRows {
  readonly first: number;
  readonly width: number;
  readonly values: Float32Array;
}

/** The values of some of the rows. */
export const valuesAt = ({ first, width, values }: OutputRows, { start, end }: RowRange): Float32Array =>
  values.subarray((start - first) * width, (end - first) * width);

/** @param run checksum of the run, which the record's own begin with */
export function record(run: number, { start, end, saturated }: FinishedRows, values: Float32Array): Uint8Array {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  const whole = Buffer.alloc(headBytes + bytes.length);
  whole.set(mark);
  whole.set(bytes, headBytes);
  whole.writeBigUInt64LE(BigInt(start), 8);
  whole.writeBigUInt64LE(BigInt(end), 16);
  whole.writeBigUInt64LE(BigInt(saturated), 24);
  whole.writeUInt32LE(crc32(bytes, run), 32);
  whole.writeUInt32LE(crc32(whole.subarray(8, headBytes), run), 4);
  return whole;
}

export interface FoundRecords {
  /** Disjoint, in the order of the records. */
  readonly ranges: readonly FinishedRows[];
  /** Bytes of the records that are used. */
  readonly usedBytes: number;
  /** Where the last of them ends: what follows is a tail cut short. */
  readonly end: number;
}

/** Puts the rows of all records that are whole, from a byte on, into `output`; what lies between is passed over. */
export async function readRecords(path: string, start: number, run: number, output: OutputRows): Promise<FoundRecords> {
  const handle = await open(path, "r");
  try {
    const { size } = await handle.stat();
    const ranges: FinishedRows[] = [];
    const { first, width } = output;
    const known = new Uint8Array(output.values.length / width);
    let usedBytes = 0;
    let end = start;
    for (let at: number | null = start; at !== null; ) {
      const found = await recordAt(handle, at, size, run, output);
      if (found === null) {
        at = await nextMark(handle, at + 1, size);
        continue;
      }
      const { range, values } = found;
      const bytes = headBytes + values.byteLength;
      const [begin, stop] = [range.start - first, range.end - first];
      if (!known.subarray(begin, stop).includes(1)) {
        known.fill(1, begin, stop);
        output.values.set(values, begin * width);
        ranges.push(range);
        usedBytes += bytes;
      }
      end = at + bytes;
      at = end < size ? end : null;
    }
    return { ranges, usedBytes, end };
  } finally {
    await handle.close();
  }
}

/** The whole record that begins at a byte, or null. */
async function recordAt(
  handle: FileHandle,
  at: number,
  size: number,
  run: number,
  { first, width, values: { length: most } }: OutputRows,
): Promise<{ readonly range: FinishedRows; readonly values: Float32Array } | null> {
  const head = Buffer.alloc(headBytes);
  if (!(await readFully(handle, head, at))) return null;
  if (!head.subarray(0, mark.length).equals(mark)) return null;
  if (head.readUInt32LE(4) !== crc32(head.subarray(8), run)) return null;
  const [start, end, saturated] = [8, 16, 24].map(place => Number(head.readBigUInt64LE(place))) as [
    number,
    number,
    number,
  ];
  const range = { start, end, saturated };
  if (!(first <= range.start && range.start < range.end && (range.end - first) * width <= most)) return null;
  const length = (range.end - range.start) * width * 4;
  if (at + headBytes + length > size) return null;
  const bytes = new Uint8Array(length);
  if (!(await readFully(handle, bytes, at + headBytes))) return null;
  return crc32(bytes, run) === head.readUInt32LE(32) ? { range, values: new Float32Array(bytes.buffer) } : null;
}

const pieceBytes = 2 ** 20;

/** Where the next mark is; null when there is none. */
async function nextMark(handle: FileHandle, from: number, size: number): Promise<number | null> {
  const piece = Buffer.alloc(Math.min(pieceBytes, size));
  // Pieces overlap, so that no mark is cut in two.
  for (let at = from; at < size; at += pieceBytes - mark.length + 1) {
    const { bytesRead } = await handle.read(piece, 0, piece.length, at);
    const found = piece.subarray(0, bytesRead).indexOf(mark);
    if (found >= 0) return at + found;
  }
  return null;
}

async function readFully(handle: FileHandle, target: Uint8Array, position: number): Promise<boolean> {
  let filled = 0;
  while (filled < target.length) {
    const { bytesRead } = await handle.read(target, filled, target.length - filled, position + filled);
    if (bytesRead === 0) return false;
    filled += bytesRead;
  }
  return true;
}
