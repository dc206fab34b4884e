import type { FloatType } from "../../numerics/format.js";

/**
 * Operands as the kernels read them: 16-bit formats two to a 32-bit word, fp32 one. Every function takes fp32 values
 * that are exactly operands, and pads with zeros, which change no bit: s + 0 * 0 = s.
 */

/** Operands in a word. */
export function operandsPerWord(type: FloatType): 1 | 2 {
  return type === "fp32" ? 1 : 2;
}

/** Keys that stand side by side in K, rows in Q, and words in a page: a page is 8 x 8 words. */
export const eight = 8;
export const pageWords = eight * eight;

/** Columns of V that stand together: a word of a 16-bit format holds columns j and j + 8. */
export const columnsTogether = 16;

/** Pages of one eight of rows of E operands. */
export function keyPagesOf(headDim: number, type: FloatType): number {
  return Math.ceil(headDim / operandsPerWord(type) / eight);
}

/** Blocks of 16 columns of a row of F values. */
export function valueBlocksOf(valueDim: number): number {
  return Math.ceil(valueDim / columnsTogether);
}

/** Pages of one eight of rows of F values. */
export function valuePagesOf(valueDim: number, type: FloatType): number {
  return (valueBlocksOf(valueDim) * 2) / operandsPerWord(type);
}

/** Pages that hold so many rows. */
export function pagesOf(rows: number, pagesOfEight: number): number {
  return Math.ceil(rows / eight) * pagesOfEight;
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
 * Q or K for the scores: [n / 8][words / 8] pages of 8 words of 8 rows. Row i begins at word `rowAt(i)` of `source`, or
 * is all zeros where `rowAt(i)` is negative. `out` is all zeros before.
 */
export function packRows(
  source: Float32Array,
  rowAt: (i: number) => number,
  count: number,
  headDim: number,
  type: FloatType,
  out: Uint32Array,
): void {
  const bits = new Uint32Array(source.buffer, source.byteOffset, source.length);
  const words = keyPagesOf(headDim, type) * eight;
  for (let i = 0; i < count; i += 1) {
    const from = rowAt(i);
    if (from < 0) continue;
    let to = Math.floor(i / eight) * words * eight + (i % eight);
    if (type === "fp32") {
      for (let e = 0; e < headDim; e += 1, to += eight) out[to] = bits[from + e] as number;
    } else {
      for (let e = 0; e < headDim; e += 2, to += eight) {
        const high = e + 1 < headDim ? narrow(bits[from + e + 1] as number, type) : 0;
        out[to] = narrow(bits[from + e] as number, type) | (high << 16);
      }
    }
  }
}

/** V for the weighted sums: [m / 8][F / 16] pages of 8 keys of 16 columns (fp32: [F / 8], 8 columns); `out` is zeros before. */
export function packValues(
  source: Float32Array,
  from: number,
  count: number,
  valueDim: number,
  type: FloatType,
  out: Uint32Array,
): void {
  const bits = new Uint32Array(source.buffer, source.byteOffset, source.length);
  const pages = valuePagesOf(valueDim, type);
  const columns = type === "fp32" ? eight : columnsTogether;
  for (let m = 0; m < count; m += 1) {
    const row = from + m * valueDim;
    const first = Math.floor(m / eight) * pages * pageWords + (m % eight) * eight;
    for (let page = 0; page < pages; page += 1) {
      const to = first + page * pageWords;
      const f = page * columns;
      for (let j = 0; j < eight && f + j < valueDim; j += 1) {
        const low = bits[row + f + j] as number;
        const high = f + j + eight < valueDim ? (bits[row + f + j + eight] as number) : 0;
        out[to + j] = type === "fp32" ? low : narrow(low, type) | (narrow(high, type) << 16);
      }
    }
  }
}
