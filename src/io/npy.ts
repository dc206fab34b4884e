import { writeAtomically } from "./atomic-write.js";
import { fileSource } from "./bytes.js";
import { type FloatPieces, type FloatValues, piecesOf } from "./float-pieces.js";
import { npyTensor } from "./npy-format.js";
import type { ReadAs } from "./read-as.js";
import type { StoredTensor } from "./stored-tensor.js";
import { npyFile } from "./tensor-file.js";

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
  await writeAtomically(path, npyFile(shape, piecesOf(values)));
}
