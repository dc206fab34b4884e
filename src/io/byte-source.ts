import { howMany, InputError } from "../errors.js";

/** Bytes that can be read from any place any number of times, however large: nothing is held between two reads. */
export interface ByteSource {
  /** What to call it in an error: a path, or a path and a member. */
  readonly where: string;
  /** Bytes in all. */
  readonly length: number;
  /** The bytes [from, to) in pieces of any size. @throws InputError when the source ends before `to`. */
  read(from: number, to: number): AsyncIterable<Uint8Array>;
}

/** A file that a visitor has chosen or dropped, as a byte source. */
export const blobSource = (blob: Blob, where: string): ByteSource => ({
  where,
  length: blob.size,
  read: async function* (from, to) {
    for (let at = from; at < to; at += pieceBytes) {
      yield new Uint8Array(await blob.slice(at, Math.min(at + pieceBytes, to)).arrayBuffer());
    }
  },
});

/** How much is read at a time. */
export const pieceBytes = 8 * 2 ** 20;

/** The bytes [from, to) in one piece; for headers, not for tensors. */
export async function readWhole(source: ByteSource, from: number, to: number): Promise<Uint8Array> {
  if (to > source.length) throw truncated(source.where, source.length, to);
  const whole = new Uint8Array(to - from);
  let filled = 0;
  for await (const piece of source.read(from, to)) {
    whole.set(piece, filled);
    filled += piece.length;
  }
  return whole;
}

export const truncated = (where: string, length: number, expected: number): InputError =>
  new InputError({
    where,
    got: `a file that ends after ${howMany(length, "byte")}`,
    expected: howMany(expected, "byte"),
    fix: "the file is cut short; copy or save it again",
  });
