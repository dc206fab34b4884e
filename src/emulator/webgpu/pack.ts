import type { AttentionShape } from "../../attention/shape.js";
import { type ArithmeticSpec, scaleBlock } from "../../numerics/arithmetic.js";
import type { FloatType } from "../../numerics/format.js";
import { type FloatSpec, numberTypes } from "../../numerics/number-type.js";

/*
 * Operands as the kernels read them, those of 16 bits and less two to a 32-bit word, others one (shaders/pack.wgsl lays them
 * out): Q and K [n / 8][words / 8] pages of 8 words of 8 rows; V [m / 8][F / 16] pages of 8 keys of 8 words (fp32: [F / 8]).
 */

/**
 * The type as which all operands of an arithmetic are stored in words: one that holds every value of theirs. Two of a word are never in
 * different steps of a sum. A value of binary16 takes longer to find in its half of a word than a word of its own takes to read, which
 * pays where every operand is one alone.
 */
export function wordsOf({ operands, dot }: ArithmeticSpec): FloatType {
  if (dot !== "chain" && dot.block % 2 === 1) return "fp32";
  const types = Object.values(operands).map(({ type }) => type);
  if (types.every(type => holds(numberTypes.bf16, type))) return "bf16";
  return types.every(({ name }) => name === "fp16") ? "fp16" : "fp32";
}

/** Whether every operand of a type is a value of another. */
function holds(of: FloatSpec, { significandBits, leastExponent, largest, flush }: FloatSpec): boolean {
  const least = Math.max(flush, 2 ** (leastExponent - significandBits + 1));
  return significandBits <= of.significandBits && largest <= of.largest && least >= of.flush;
}

/** Operands in a word. */
export function operandsPerWord(words: FloatType): 1 | 2 {
  return numberTypes[words].storageBits === 32 ? 1 : 2;
}

/** Keys that are side by side in K, rows in Q, and words in a page: a page is 8 x 8 words. */
export const eight = 8;
export const pageWords = eight * eight;

/** Columns of V that are together: a word of a 16-bit format holds columns j and j + 8. */
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

/** Pages of one eight of queries or keys, and of one of values: operands, then their scales. */
export interface PageCounts {
  readonly keyOperands: number;
  readonly keyScales: number;
  readonly valueOperands: number;
  readonly valueScales: number;
}

/** Scales of a query or key: of blocks of E, or one. */
export function keyScalesOf({ operands: { k } }: ArithmeticSpec, { headDim }: AttentionShape): number {
  const width = scaleBlock(k.scale);
  return width === null ? (k.scale === "none" ? 0 : 1) : Math.ceil(headDim / width);
}

export function pageCounts(arithmetic: ArithmeticSpec, shape: AttentionShape): PageCounts {
  const words = wordsOf(arithmetic);
  const columns = valueBlocksOf(shape.valueDim) * columnsTogether;
  return {
    keyOperands: keyPagesOf(shape.headDim, words),
    keyScales: Math.ceil(keyScalesOf(arithmetic, shape) / eight),
    valueOperands: valuePagesOf(shape.valueDim, words),
    valueScales: scaleBlock(arithmetic.operands.v.scale) === null ? 0 : Math.ceil(columns / pageWords),
  };
}
