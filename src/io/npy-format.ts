import { howMany, InputError } from "../errors.js";
import { type ByteSource, readWhole, truncated } from "./byte-source.js";
import { bytesOf } from "./element-types.js";
import { elementTypeOf, parseNpyHeader } from "./npy-header.js";
import type { ReadAs } from "./read-as.js";
import { elementsOf, type StoredTensor, storedTensor } from "./stored-tensor.js";

// The format: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html

/** "\x93NUMPY" */
export const npyMagic = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];

/** The longest header of version 1. Those of the others may say that they have 4 GB: NumPy reads 10,000 bytes. */
const mostHeaderBytes = 65_535;
/** NumPy's own limit. */
const mostRanks = 64;

/** A .npy file of numbers, in C or Fortran order: of any source, a .npz archive's member too. @throws InputError */
export async function npyTensor(source: ByteSource, readAs: ReadAs = {}): Promise<StoredTensor> {
  const { where } = source;
  if (source.length < 10) throw notNpy(where, howMany(source.length, "byte"));
  const start = await readWhole(source, 0, 10);
  if (npyMagic.some((byte, i) => start[i] !== byte)) throw notNpy(where, describeStart(start));
  const version = start[6] as number;
  if (version < 1 || version > 3) {
    throw new InputError({ where, got: `.npy version ${version}.${start[7]}`, expected: "version 1, 2 or 3" });
  }
  const lengthBytes = version === 1 ? 2 : 4;
  const prefix = await readWhole(source, 0, 8 + lengthBytes);
  const view = new DataView(prefix.buffer);
  const headerLength = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  const offset = prefix.length + headerLength;
  if (headerLength > mostHeaderBytes) {
    throw new InputError({ where, got: `a header of ${headerLength} bytes`, expected: `at most ${mostHeaderBytes}` });
  }
  if (offset > source.length) throw truncated(where, source.length, offset);
  const text = new TextDecoder(version === 3 ? "utf-8" : "latin1").decode(
    await readWhole(source, prefix.length, offset),
  );
  const { descr, fortranOrder, shape } = parseNpyHeader(where, text);
  const { dtype, bigEndian } = elementTypeOf(where, descr, readAs);
  if (shape.length > mostRanks || !Number.isSafeInteger(elementsOf(shape) * bytesOf[dtype])) {
    throw new InputError({ where, got: `shape [${shape.join(",")}]`, expected: `sizes that fit a file` });
  }
  const end = offset + elementsOf(shape) * bytesOf[dtype];
  if (source.length < end) throw truncated(where, source.length, end);
  if (source.length > end) {
    throw new InputError({
      where,
      got: `${howMany(source.length - end, "byte")} after the last value`,
      expected: `exactly ${howMany(end, "byte")} for shape [${shape.join(",")}] of ${descr}`,
      fix: "save one array a file",
    });
  }
  return storedTensor(source, { dtype, shape, fortranOrder, bigEndian, offset });
}

const notNpy = (where: string, got: string): InputError =>
  new InputError({ where, got, expected: "a .npy file (numpy.save)" });

/** Names what a file's first bytes look like. */
export function describeStart(bytes: Uint8Array): string {
  const text = String.fromCharCode(...bytes.subarray(0, 6));
  if (text.startsWith("PK")) return "a zip archive";
  if (text.startsWith("\x93NUMPY")) return "a .npy file";
  const hex = [...bytes.subarray(0, 8)].map(byte => byte.toString(16).padStart(2, "0")).join(" ");
  return `a file that starts with the bytes ${hex}`;
}
