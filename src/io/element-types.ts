/**
 * The element types that tensors are read in: floats, and integers that stand for themselves. Unsigned integers are not
 * among them: they mostly hold the codes of 8- and 16-bit floats, or packed values.
 */
export const elementTypes = [
  "F16",
  "BF16",
  "F32",
  "F64",
  "F8_E4M3",
  "F8_E5M2",
  "F8_E4M3FNUZ",
  "F8_E5M2FNUZ",
  "F8_E8M0",
  "BOOL",
  "I8",
  "I16",
  "I32",
  "I64",
] as const;
export type ElementType = (typeof elementTypes)[number];

export const isElementType = (name: string): name is ElementType => (elementTypes as readonly string[]).includes(name);

/** Bytes of an element. */
export const bytesOf: Readonly<Record<ElementType, number>> = {
  F16: 2,
  BF16: 2,
  F32: 4,
  F64: 8,
  F8_E4M3: 1,
  F8_E5M2: 1,
  F8_E4M3FNUZ: 1,
  F8_E5M2FNUZ: 1,
  F8_E8M0: 1,
  BOOL: 1,
  I8: 1,
  I16: 2,
  I32: 4,
  I64: 8,
};

/** Whether fp32 does not hold every value of the type. */
export const needsFloat64 = (type: ElementType): boolean => type === "F64" || type === "I32" || type === "I64";

/** Bytes as values; every one is exact, but for integers of more than 53 bits. */
export function decodeElements(type: ElementType, bytes: Uint8Array, bigEndian: boolean): Float32Array | Float64Array {
  const size = bytesOf[type];
  const { buffer, byteOffset } = aligned(bytes, size, bigEndian);
  const count = bytes.length / size;
  switch (type) {
    case "F64":
      return new Float64Array(buffer, byteOffset, count);
    case "F32":
      return new Float32Array(buffer, byteOffset, count);
    case "I64":
      return Float64Array.from(new BigInt64Array(buffer, byteOffset, count), Number);
    case "I32":
      return Float64Array.from(new Int32Array(buffer, byteOffset, count));
    case "I16":
      return Float32Array.from(new Int16Array(buffer, byteOffset, count));
    case "I8":
      return Float32Array.from(new Int8Array(buffer, byteOffset, count));
    case "BF16": {
      const codes = new Uint16Array(buffer, byteOffset, count);
      const values = new Float32Array(count);
      const bits = new Uint32Array(values.buffer);
      for (let i = 0; i < count; i++) bits[i] = (codes[i] as number) << 16;
      return values;
    }
    case "F16":
      return looked(new Uint16Array(buffer, byteOffset, count), tableOf(type));
    default:
      return looked(new Uint8Array(buffer, byteOffset, count), tableOf(type));
  }
}

/** The same bytes where a typed array may begin, little-endian. */
function aligned(bytes: Uint8Array, size: number, bigEndian: boolean): Uint8Array<ArrayBuffer> {
  if (!bigEndian && bytes.byteOffset % size === 0) return bytes as Uint8Array<ArrayBuffer>;
  // Not `slice`: that of Node's Buffer copies nothing.
  const copy = new Uint8Array(bytes);
  if (bigEndian) for (let at = 0; at < copy.length; at += size) copy.subarray(at, at + size).reverse();
  return copy;
}

function looked(codes: Uint8Array | Uint16Array, table: Float32Array): Float32Array {
  const values = new Float32Array(codes.length);
  for (let i = 0; i < codes.length; i++) values[i] = table[codes[i] as number] as number;
  return values;
}

const tables = new Map<ElementType, Float32Array>();

/** The value of each code of a type of 8 or 16 bits. */
function tableOf(type: ElementType): Float32Array {
  const known = tables.get(type);
  if (known !== undefined) return known;
  const table = Float32Array.from({ length: 2 ** (8 * bytesOf[type]) }, (_, code) => valueOfCode(type, code));
  tables.set(type, table);
  return table;
}

/** Sign, exponent and fraction as IEEE 754 has them, but for the codes that stand for no number. */
function valueOfCode(type: ElementType, code: number): number {
  switch (type) {
    case "F16":
      return floatOf(code, 10, 5, 15);
    case "F8_E5M2":
      return floatOf(code, 2, 5, 15);
    // OCP 8-bit floating point: no infinities, and one NaN of each sign.
    case "F8_E4M3":
      return (code & 0x7f) === 0x7f ? Number.NaN : finiteOf(code, 3, 4, 7);
    // "FNUZ": finite, NaN in the place of negative zero.
    case "F8_E4M3FNUZ":
      return code === 0x80 ? Number.NaN : finiteOf(code, 3, 4, 8);
    case "F8_E5M2FNUZ":
      return code === 0x80 ? Number.NaN : finiteOf(code, 2, 5, 16);
    // OCP microscaling: an exponent alone.
    case "F8_E8M0":
      return code === 255 ? Number.NaN : 2 ** (code - 127);
    default:
      return code === 0 ? 0 : 1;
  }
}

function floatOf(code: number, fractionBits: number, exponentBits: number, bias: number): number {
  const most = 2 ** exponentBits - 1;
  if (((code >> fractionBits) & most) < most) return finiteOf(code, fractionBits, exponentBits, bias);
  if ((code & (2 ** fractionBits - 1)) !== 0) return Number.NaN;
  return code >> (fractionBits + exponentBits) === 0 ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
}

function finiteOf(code: number, fractionBits: number, exponentBits: number, bias: number): number {
  const sign = code >> (fractionBits + exponentBits) === 0 ? 1 : -1;
  const exponent = (code >> fractionBits) & (2 ** exponentBits - 1);
  const fraction = (code & (2 ** fractionBits - 1)) / 2 ** fractionBits;
  return exponent === 0 ? sign * fraction * 2 ** (1 - bias) : sign * (1 + fraction) * 2 ** (exponent - bias);
}
