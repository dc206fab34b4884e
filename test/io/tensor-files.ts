import { Float16Array } from "@petamoriken/float16";

/** Bytes of tensor files, made without the code under test. */

export type Element = "<f2" | "<f4" | "<f8" | ">f4" | "|V2" | "|b1" | "<i4" | "<u2";

export function elementBytes(descr: Element, values: readonly number[]): Uint8Array {
  if (descr === "|b1") return Uint8Array.from(values);
  if (descr === "<f2") return new Uint8Array(Float16Array.from(values).buffer);
  if (descr === "<f8") return new Uint8Array(Float64Array.from(values).buffer);
  if (descr === "<u2") return new Uint8Array(Uint16Array.from(values).buffer);
  if (descr === "<i4") return new Uint8Array(Int32Array.from(values).buffer);
  if (descr === ">f4") return new Uint8Array(Float32Array.from(values).buffer).map((_, i, all) => all[i ^ 3] ?? 0);
  const floats = new Uint8Array(Float32Array.from(values).buffer);
  return descr === "<f4" ? floats : floats.filter((_, i) => i % 4 >= 2);
}

export interface NpyOptions {
  readonly descr?: Element;
  readonly shape: readonly number[];
  readonly fortran?: boolean;
  readonly version?: number;
}

/** A .npy file with the values in the order in which they are to lie in the file. */
export function npyBytes(values: readonly number[], options: NpyOptions): Uint8Array {
  const { descr = "<f4", shape, fortran = false, version = 1 } = options;
  const tuple = shape.length === 1 ? `${shape[0]},` : shape.join(", ");
  const text = `{'descr': '${descr}', 'fortran_order': ${fortran ? "True" : "False"}, 'shape': (${tuple}), }`;
  const prefix = version === 1 ? 10 : 12;
  const header = `${text.padEnd(Math.ceil((prefix + text.length + 1) / 64) * 64 - prefix - 1)}\n`;
  const start = new Uint8Array(prefix);
  start.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, version, 0]);
  const view = new DataView(start.buffer);
  if (version === 1) view.setUint16(8, header.length, true);
  else view.setUint32(8, header.length, true);
  return concat([start, new TextEncoder().encode(header), elementBytes(descr, values)]);
}

export function concat(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** A .safetensors file of the given header and values. */
export function safetensorsBytes(header: unknown, values: Uint8Array): Uint8Array {
  const json = new TextEncoder().encode(typeof header === "string" ? header : JSON.stringify(header));
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, BigInt(json.length), true);
  return concat([length, json, values]);
}
