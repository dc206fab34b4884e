import { type FileHandle, open } from "node:fs/promises";
import { crc32 } from "node:zlib";
import type { RowRange } from "../attention/rows.js";

// A record of finished rows: 32 bytes of head (mark, checksum of the head, first row, end row, checksum of the values, 4 bytes of
// zero) and the rows' values as little-endian fp32. The checksums begin with that of the run that the rows belong to. Records
// may overlap and come in any order.

const mark = Buffer.from("ROWS");
const headBytes = 32;

/** @param run checksum of the run, which the record's own begin with */
export function record(run: number, { start, end }: RowRange, values: Float32Array): Buffer {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  const whole = Buffer.alloc(headBytes + bytes.length);
  whole.set(mark);
  whole.set(bytes, headBytes);
  whole.writeBigUInt64LE(BigInt(start), 8);
  whole.writeBigUInt64LE(BigInt(end), 16);
  whole.writeUInt32LE(crc32(bytes, run), 24);
  whole.writeUInt32LE(crc32(whole.subarray(8, headBytes), run), 4);
  return whole;
}

export interface FoundRecords {
  readonly ranges: readonly RowRange[];
  /** Bytes of the records that are whole. */
  readonly usedBytes: number;
  /** Where the last of them ends: what follows is a tail cut short. */
  readonly end: number;
}

/** Puts the rows of all records that are whole, from a byte on, into `output` [rows, width]; what lies between is passed over. */
export async function readRecords(
  path: string,
  start: number,
  run: number,
  output: Float32Array,
  width: number,
): Promise<FoundRecords> {
  const handle = await open(path, "r");
  try {
    const { size } = await handle.stat();
    const ranges: RowRange[] = [];
    let usedBytes = 0;
    let end = start;
    for (let at: number | null = start; at !== null; ) {
      const found = await recordAt(handle, at, size, run, output.length, width);
      if (found === null) {
        at = await nextMark(handle, at + 1, size);
        continue;
      }
      output.set(found.values, found.range.start * width);
      ranges.push(found.range);
      const bytes = headBytes + found.values.byteLength;
      usedBytes += bytes;
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
  most: number,
  width: number,
): Promise<{ readonly range: RowRange; readonly values: Float32Array } | null> {
  const head = Buffer.alloc(headBytes);
  if (!(await readFully(handle, head, at))) return null;
  if (!head.subarray(0, mark.length).equals(mark)) return null;
  if (head.readUInt32LE(4) !== crc32(head.subarray(8), run)) return null;
  const range = { start: Number(head.readBigUInt64LE(8)), end: Number(head.readBigUInt64LE(16)) };
  if (!(range.start < range.end && range.end * width <= most)) return null;
  const length = (range.end - range.start) * width * 4;
  if (at + headBytes + length > size) return null;
  const bytes = new Uint8Array(length);
  if (!(await readFully(handle, bytes, at + headBytes))) return null;
  return crc32(bytes, run) === head.readUInt32LE(24) ? { range, values: new Float32Array(bytes.buffer) } : null;
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
