import { type FloatPieces, headed, type StoredFloat } from "./float-pieces.js";
import { npyMagic } from "./npy-format.js";

// Files of tensors as bytes, wherever they go: to a disk, or to whoever loads them from a page.

export const tensorFileKinds = ["npy", "safetensors"] as const;
export type TensorFileKind = (typeof tensorFileKinds)[number];

/** What a file says of a tensor beside its values. */
export interface NamedTensor {
  /** A .npy file has no place for it. */
  readonly name: string;
  readonly shape: readonly number[];
}

export type Metadata = Readonly<Record<string, string>>;

/** A file of one tensor, part by part. A .npy file has no place for metadata. */
export const tensorFile = (
  kind: TensorFileKind,
  tensor: NamedTensor,
  floats: FloatPieces,
  metadata: Metadata = {},
): Iterable<ArrayBufferView> =>
  kind === "npy" ? npyFile(tensor.shape, floats) : safetensorsFile(tensor, floats, metadata);

/** A .npy file of version 1. */
export const npyFile = (shape: readonly number[], { type, pieces }: FloatPieces): Iterable<ArrayBufferView> =>
  headed(npyHeader(shape, type), pieces);

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

/** A .safetensors file of one tensor. */
export function safetensorsFile(
  { name, shape }: NamedTensor,
  { type, pieces }: FloatPieces,
  metadata: Metadata = {},
): Iterable<ArrayBufferView> {
  const bytes = shape.reduce((count, size) => count * size, type === "F64" ? 8 : 4);
  return headed(safetensorsHeader([{ name, shape, bytes, dtype: type }], metadata), pieces);
}

export interface DescribedTensor extends NamedTensor {
  readonly dtype: string;
  readonly bytes: number;
}

/** Eight bytes of length, and the header as JSON, to a multiple of eight. */
export function safetensorsHeader(tensors: readonly DescribedTensor[], metadata: Metadata): Uint8Array {
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
