import { createHash } from "node:crypto";
import { closeSync, openSync, readSync } from "node:fs";
import { readWithoutWaiting } from "./regular-file.js";

// Lines of JSON after a digest of them, so that a line that a kill has cut short or a disk has changed is known as such.

const digestLength = 16;

/** A line that is longer is none: no block of points comes near it. */
const longestLine = 2 ** 24;
const pieceBytes = 2 ** 20;
const shortPieceBytes = 2 ** 18;

const digestOf = (before: string, json: string | Uint8Array): string =>
  createHash("sha256").update(before).update(json).digest("hex").slice(0, digestLength);

/** A line with its end. @param before what the digest begins with: who reads the line must know it */
export const withDigest = (before: string, json: string): Buffer => Buffer.from(`${digestOf(before, json)} ${json}\n`);

/** Whether a line has its end, and the digest that it must have. */
export function isWhole(before: string, line: Buffer): boolean {
  const json = line.subarray(digestLength + 1, -1);
  return line.at(-1) === 0x0a && line.toString("latin1", 0, digestLength + 1) === `${digestOf(before, json)} `;
}

/** What a whole line says. */
export const jsonOf = (line: Buffer): unknown => JSON.parse(line.toString("utf8", digestLength + 1));

/** The first line of a file from a byte on, with its end. */
export function firstLine(path: string, from: number, to: number): Buffer {
  for (const { bytes } of linesOf(path, from, to, shortPieceBytes)) return bytes;
  return Buffer.alloc(0);
}

export interface FoundLine {
  /** Where in the file it begins. */
  readonly offset: number;
  /** With its end, if it has one. */
  readonly bytes: Buffer;
}

/** The lines of a file from a byte to another; one that is longer than any line of ours comes in pieces without an end. */
export function* linesOf(path: string, from: number, to: number, most = pieceBytes): Generator<FoundLine> {
  const handle = openSync(path, readWithoutWaiting);
  try {
    let begun = Buffer.alloc(0);
    let offset = from;
    for (let at = from; at < to; ) {
      const piece = Buffer.alloc(Math.min(most, to - at));
      const length = readSync(handle, piece, 0, piece.length, at);
      if (length === 0) break; // cut short meanwhile
      let start = 0;
      for (let end = piece.indexOf(0x0a); end >= 0 && end < length; end = piece.indexOf(0x0a, start)) {
        const bytes = Buffer.concat([begun, piece.subarray(start, end + 1)]);
        yield { offset, bytes };
        offset += bytes.length;
        begun = Buffer.alloc(0);
        start = end + 1;
      }
      begun = Buffer.concat([begun, piece.subarray(start, length)]);
      at += length;
      if (begun.length <= longestLine) continue;
      yield { offset, bytes: begun };
      offset += begun.length;
      begun = Buffer.alloc(0);
    }
    if (begun.length > 0) yield { offset, bytes: begun };
  } finally {
    closeSync(handle);
  }
}
