import { writeAtomically } from "./atomic-write.js";
import { fileSource } from "./bytes.js";
import { floatTypeOf } from "./float-pieces.js";
import { parseSafetensors, type SafetensorsFile } from "./safetensors-format.js";
import { type Metadata, type NamedTensor, safetensorsHeader } from "./tensor-file.js";

export type { SafetensorsFile } from "./safetensors-format.js";

/**
 * @throws InputError when the file is missing, cut short or its header is not well formed.
 * @example
 * ```ts
 * import { readSafetensors, writeSafetensors } from "fusemax/node";
 *
 * await writeSafetensors("qkv.safetensors", [{ name: "q", shape: [2], values: new Float32Array(2) }]);
 * console.log((await readSafetensors("qkv.safetensors")).names); // [ 'q' ]
 * ```
 */
export async function readSafetensors(path: string): Promise<SafetensorsFile> {
  return parseSafetensors(await fileSource(path));
}

/** A tensor to write: F64 or F32 values or U8 flags, row-major. */
export interface WritableTensor extends NamedTensor {
  readonly values: Float64Array | Float32Array | Uint8Array;
}

/**
 * Writes tensors as a .safetensors file, whole or not at all, wide values first so that every one is aligned.
 * @throws InputError when the path can't be written.
 * @example
 * ```ts
 * import { writeSafetensors } from "fusemax/node";
 *
 * await writeSafetensors("qkv.safetensors", [{ name: "q", shape: [2], values: new Float32Array(2) }]);
 * ```
 */
export async function writeSafetensors(
  path: string,
  tensors: readonly WritableTensor[],
  metadata: Metadata = {},
): Promise<void> {
  const ordered = [...tensors].sort((a, b) => b.values.BYTES_PER_ELEMENT - a.values.BYTES_PER_ELEMENT);
  const described = ordered.map(({ name, shape, values }) => ({
    ...{ name, shape, bytes: values.byteLength },
    dtype: values instanceof Uint8Array ? "U8" : floatTypeOf(values),
  }));
  await writeAtomically(path, [safetensorsHeader(described, metadata), ...ordered.map(tensor => tensor.values)]);
}
