import { writeAtomically } from "./atomic-write.js";
import { fileSource } from "./bytes.js";
import { parseSafetensors, type SafetensorsFile } from "./safetensors-format.js";

export type { SafetensorsFile } from "./safetensors-format.js";

/** @throws InputError when the file is missing, cut short or its header is not well formed. */
export async function readSafetensors(path: string): Promise<SafetensorsFile> {
  return parseSafetensors(await fileSource(path));
}

/** A tensor to write: F64 or F32 values or U8 flags, row-major. */
export interface WritableTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float64Array | Float32Array | Uint8Array;
}

/**
 * Writes tensors as a .safetensors file, whole or not at all, wide values first so that every one is aligned.
 * @throws InputError when the path can't be written.
 */
export async function writeSafetensors(
  path: string,
  tensors: readonly WritableTensor[],
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  const ordered = [...tensors].sort((a, b) => b.values.BYTES_PER_ELEMENT - a.values.BYTES_PER_ELEMENT);
  const header: Record<string, unknown> = Object.keys(metadata).length > 0 ? { __metadata__: metadata } : {};
  let at = 0;
  for (const { name, shape, values } of ordered) {
    const dtype = values instanceof Float64Array ? "F64" : values instanceof Float32Array ? "F32" : "U8";
    header[name] = { dtype, shape, data_offsets: [at, at + values.byteLength] };
    at += values.byteLength;
  }
  const json = JSON.stringify(header);
  const encoded = new TextEncoder().encode(json);
  const padded = new Uint8Array(8 + Math.ceil(encoded.length / 8) * 8).fill(0x20);
  new DataView(padded.buffer).setBigUint64(0, BigInt(padded.length - 8), true);
  padded.set(encoded, 8);
  await writeAtomically(path, [padded, ...ordered.map(tensor => tensor.values)]);
}
