import { writeAtomically } from "./atomic-write.js";
import { fileSource } from "./bytes.js";
import { type FloatPieces, type FloatValues, headed, piecesOf, type StoredFloat } from "./float-pieces.js";
import { npyMagic, npyTensor } from "./npy-format.js";
import type { ReadAs } from "./read-as.js";
import type { StoredTensor } from "./stored-tensor.js";

export type { FloatPieces, FloatValues, StoredFloat } from "./float-pieces.js";

/**
 * Opens a .npy file of floats, in C or Fortran order. @throws InputError
 * @example
 * ```ts
 * import { readNpy, writeNpy } from "fusemax/node";
 *
 * await writeNpy("q.npy", [2, 3], new Float32Array(6));
 * console.log((await readNpy("q.npy")).shape); // [ 2, 3 ]
 * ```
 */
export async function readNpy(path: string, readAs: ReadAs = {}): Promise<StoredTensor> {
  return npyTensor(await fileSource(path), readAs);
}

/**
 * Writes fp32 or float64 values as a .npy file, whole or not at all. @throws InputError when the path can't be written.
 * @example
 * ```ts
 * import { writeNpy } from "fusemax/node";
 *
 * await writeNpy("q.npy", [2, 3], new Float32Array([1, 2, 3, 4, 5, 6]));
 * ```
 */
export async function writeNpy(
  path: string,
  shape: readonly number[],
  values: FloatValues | FloatPieces,
): Promise<void> {
  const { type, pieces } = piecesOf(values);
  await writeAtomically(path, headed(npyHeader(shape, type), pieces));
}

/** The header of a version 1 .npy file. */
export function npyHeader(shape: readonly number[], type: StoredFloat): Uint8Array {
  const tuple = shape.length === 1 ? `${shape[0]},` : shape.join(", ");
  const descr = type === "F64" ? "<f8" : "<f4";
  const dictionary = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${tuple}), }`;
  const headerLength = Math.ceil((10 + dictionary.length + 1) / 64) * 64 - 10;
  const header = new Uint8Array(10 + headerLength).fill(0x20);
  header.set([...npyMagic, 1, 0, headerLength & 255, headerLength >> 8]);
  header.set(new TextEncoder().encode(dictionary), 10);
  header[header.length - 1] = 0x0a;
  return header;
}
