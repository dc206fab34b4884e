import { InputError } from "../errors.js";
import { type ByteSource, readWhole, truncated } from "./byte-source.js";
import { bytesOf, elementsOf, type StoredFloat, type StoredTensor, storedTensor } from "./stored-tensor.js";

// The format: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html

/** "\x93NUMPY" */
export const npyMagic = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];

/** bfloat16 has no descr of its own: NumPy saves ml_dtypes.bfloat16 as two opaque bytes. */
const floatOfDescr: ReadonlyMap<string, StoredFloat> = new Map([
  ["<f2", "F16"],
  ["<f4", "F32"],
  ["<f8", "F64"],
  ["|V2", "BF16"],
  ["<V2", "BF16"],
]);

/** A .npy file of floats, in C or Fortran order: of any source, a .npz archive's member too. @throws InputError */
export async function npyTensor(source: ByteSource): Promise<StoredTensor> {
  const { where } = source;
  if (source.length < 10) throw notNpy(where, `${source.length} bytes`);
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
  if (offset > source.length) throw truncated(where, source.length, offset);
  const text = new TextDecoder(version === 3 ? "utf-8" : "latin1").decode(
    await readWhole(source, prefix.length, offset),
  );
  const { descr, fortranOrder, shape } = parseHeader(where, text);
  const dtype = floatOfDescr.get(descr);
  if (dtype === undefined) throw wrongType(where, descr);
  const end = offset + elementsOf(shape) * bytesOf[dtype];
  if (source.length < end) throw truncated(where, source.length, end);
  if (source.length > end) {
    throw new InputError({
      where,
      got: `${source.length - end} bytes after the last value`,
      expected: `exactly ${end} bytes for shape [${shape.join(",")}] of ${descr}`,
      mend: "save one array a file",
    });
  }
  return storedTensor(source, { dtype, shape, fortranOrder, offset });
}

interface NpyHeader {
  readonly descr: string;
  readonly fortranOrder: boolean;
  readonly shape: readonly number[];
}

/** The header is a Python dictionary in text: {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), } */
function parseHeader(where: string, text: string): NpyHeader {
  const descr = /['"]descr['"]\s*:\s*(?:['"]([^'"]*)['"]|(\[))/.exec(text);
  const order = /['"]fortran_order['"]\s*:\s*(True|False)/.exec(text);
  const shape = /['"]shape['"]\s*:\s*\(((?:\s*\d+L?\s*,)*(?:\s*\d+L?)?)\s*\)/.exec(text);
  if (descr === null || order === null || shape === null) {
    throw new InputError({
      where,
      got: `the .npy header ${JSON.stringify(text.trim().slice(0, 80))}`,
      expected: "descr, fortran_order and shape",
    });
  }
  if (descr[2] !== undefined) throw wrongType(where, "a structured type");
  const sizes = (shape[1] ?? "").split(",").map(size => size.trim().replace(/L$/, ""));
  return {
    descr: descr[1] ?? "",
    fortranOrder: order[1] === "True",
    shape: sizes.filter(size => size !== "").map(Number),
  };
}

function wrongType(where: string, descr: string): InputError {
  const bigEndian = /^>f(2|4|8)$/.test(descr);
  return new InputError({
    where,
    got: bigEndian ? `big-endian values (${descr})` : `values of type ${descr}`,
    expected: "little-endian floats: <f2, <f4, <f8, or bfloat16 as |V2",
    mend: bigEndian ? `save a.astype("${descr.replace(">", "<")}")` : 'save a.astype("<f4")',
  });
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
