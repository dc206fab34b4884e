import type { FloatType } from "../../numerics/format.js";

/**
 * Operands as the kernels read them: 16-bit formats two to a 32-bit word, fp32 one. Every function takes fp32 values
 * that are exactly operands, and pads with zeros, which change no bit: s + 0 * 0 = s.
 */

/** Operands in a word. */
export function operandsPerWord(type: FloatType): 1 | 2 {
  return type === "fp32" ? 1 : 2;
}

/** Words of one row of E operands. */
export function keyWordsOf(headDim: number, type: FloatType): number {
  return Math.ceil(headDim / operandsPerWord(type));
}

/** Blocks of 8 columns of a row of F values. */
export function valueBlocksOf(valueDim: number): number {
  return Math.ceil(valueDim / 8);
}

/** Words of one row of F values, padded to whole blocks. */
export function valueWordsOf(valueDim: number, type: FloatType): number {
  return (valueBlocksOf(valueDim) * 8) / operandsPerWord(type);
}

/** The bits of an operand in its own width, from its fp32 bits; exact for every operand. */
function narrow(bits: number, type: FloatType): number {
  if (type === "bf16") return bits >>> 16;
  const magnitude = bits & 0x7fffffff;
  const sign = (bits >>> 16) & 0x8000;
  if (magnitude >= 0x38800000) return sign | ((magnitude - 0x38000000) >>> 13);
  if (magnitude === 0) return sign;
  return sign | (((magnitude & 0x7fffff) | 0x800000) >>> (126 - (magnitude >>> 23)));
}

/**
 * Q or K for the scores: [n / width][words][width], rows of one block side by side. Row i begins at word `rows(i)` of
 * `source`, or is all zeros where `rows(i)` is negative.
 */
export function packInterleaved(
  source: Float32Array,
  rows: (i: number) => number,
  count: number,
  headDim: number,
  width: number,
  type: FloatType,
  out: Uint32Array,
): void {
  const bits = new Uint32Array(source.buffer, source.byteOffset, source.length);
  const words = keyWordsOf(headDim, type);
  for (let i = 0; i < count; i += 1) {
    const from = rows(i);
    let to = Math.floor(i / width) * words * width + (i % width);
    if (from < 0) {
      for (let w = 0; w < words; w += 1, to += width) out[to] = 0;
    } else if (type === "fp32") {
      for (let e = 0; e < headDim; e += 1, to += width) out[to] = bits[from + e] as number;
    } else {
      for (let e = 0; e < headDim; e += 2, to += width) {
        const high = e + 1 < headDim ? narrow(bits[from + e + 1] as number, type) : 0;
        out[to] = narrow(bits[from + e] as number, type) | (high << 16);
      }
    }
  }
}

/** V for the weighted sums: [m][F / 8][8 columns]; a word of a 16-bit format holds columns j and j + 4. */
export function packValues(
  source: Float32Array,
  from: number,
  count: number,
  valueDim: number,
  type: FloatType,
  out: Uint32Array,
): void {
  const bits = new Uint32Array(source.buffer, source.byteOffset, source.length);
  const blocks = valueBlocksOf(valueDim);
  let to = 0;
  for (let m = 0; m < count; m += 1) {
    const row = from + m * valueDim;
    for (let block = 0; block < blocks; block += 1) {
      const at = (f: number): number => (f < valueDim ? (bits[row + f] as number) : 0);
      const first = block * 8;
      if (type === "fp32") {
        for (let j = 0; j < 8; j += 1) out[to++] = at(first + j);
      } else {
        for (let j = 0; j < 4; j += 1) {
          out[to++] = narrow(at(first + j), type) | (narrow(at(first + j + 4), type) << 16);
        }
      }
    }
  }
}
