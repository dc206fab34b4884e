import { writeAtomically } from "./atomic-write.js";
import { fileSource } from "./bytes.js";
import { type FloatPieces, floatTypeOf, headed } from "./float-pieces.js";
import { parseSafetensors, type SafetensorsFile } from "./safetensors-format.js";

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
export interface WritableTensor {
  readonly name: string;
  readonly shape: readonly number[];
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
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  const ordered = [...tensors].sort((a, b) => b.values.BYTES_PER_ELEMENT - a.values.BYTES_PER_ELEMENT);
  const described = ordered.map(({ name, shape, values }) => ({
    ...{ name, shape, bytes: values.byteLength },
    dtype: values instanceof Uint8Array ? "U8" : floatTypeOf(values),
  }));
  await writeAtomically(path, [safetensorsHeader(described, metadata), ...ordered.map(tensor => tensor.values)]);
}

/** Writes one tensor whose values come piece by piece. @throws InputError when the path can't be written. */
export async function writeOneSafetensor(
  path: string,
  { name, shape }: Pick<WritableTensor, "name" | "shape">,
  { type, pieces }: FloatPieces,
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  const bytes = shape.reduce((count, size) => count * size, type === "F64" ? 8 : 4);
  await writeAtomically(path, headed(safetensorsHeader([{ name, shape, bytes, dtype: type }], metadata), pieces));
}

interface DescribedTensor extends Pick<WritableTensor, "name" | "shape"> {
  readonly dtype: string;
  readonly bytes: number;
}

/** Eight bytes of length, and the header as JSON, to a multiple of eight. */
function safetensorsHeader(
  tensors: readonly DescribedTensor[],
  metadata: Readonly<Record<string, string>>,
): Uint8Array {
  const header: Record<string, unknown> = Object.keys(metadata).length > 0 ? { __metadata__: metadata } : {};
  let at = 0;
  for (const { name, shape, dtype, bytes } of tensors) {
    header[name] = { dtype, shape, data_offsets: [at, at + bytes] };
    at += bytes;
  }
  const encoded = new TextEncoder().encode(JSON.stringify(header));
  const padded = new Uint8Array(8 + Math.ceil(encoded.length / 8) * 8).fill(0x20);
  new DataView(padded.buffer).setBigUint64(0, BigInt(padded.length - 8), true);
  padded.set(encoded, 8);
  return padded;
}
