import { type Masked, placeOfQuery } from "../attention/mask.js";
import { placeOf } from "../attention/rows.js";
import type { AttentionShape } from "../attention/shape.js";
import { InputError } from "../errors.js";
import type { Format } from "../numerics/format.js";
import { largestOperand } from "../numerics/limits.js";
import { numberTypes } from "../numerics/number-type.js";
import type { AttentionInputs, InputTensor } from "./operands.js";

/**
 * The slopes of ALiBi (Press, Smith and Lewis, ICLR 2022): 2^(-8 h / heads), h = 1 … heads, for a power of two of
 * heads; for another number those of the largest power of two below it, then every other one of twice that power, as
 * the authors' program has it. Made by square roots and products, so that their bits are the same everywhere.
 */
export function alibiSlopes(heads: number): number[] {
  const power = 2 ** Math.floor(Math.log2(heads));
  const odd = slopesOfPower(2 * power).filter((_, h) => h % 2 === 0);
  return [...slopesOfPower(power), ...odd.slice(0, heads - power)];
}

function slopesOfPower(heads: number): number[] {
  let ratio = 2 ** -8;
  for (let n = heads; n > 1; n /= 2) ratio = Math.sqrt(ratio);
  let slope = 1;
  return Array.from({ length: heads }, () => {
    slope *= ratio;
    return slope;
  });
}

/** Attention with linear biases as plain attention of wider queries and keys. */
export interface Alibi {
  /** With the larger E. */
  readonly shape: AttentionShape;
  /** How many elements each query and key gets. */
  readonly elements: number;
  /** Takes a tensor piece by piece, in order, and gives the pieces of the wider one. */
  widener(name: "q" | "k"): (piece: InputTensor) => InputTensor;
}

/**
 * Attention with linear biases on the array as it is: adding slope * (m - i) to the score of query i and key m is a few more
 * elements of the dot product. A key gets a one and the digits of its position, exact in the operand format, most significant
 * first; a query gets -slope * i / scale, which softmax cannot tell from any other number, and slope / scale times the weight
 * of each digit, all rounded to the operand format like any input. They come before the other elements: the sum is that of a
 * distance, small again, when the first of those is added, and keeps their digits.
 *
 * `slopes` has one for each query head; `scale` is the one that the problem will use (that of the original E).
 * @throws InputError when the slopes do not fit the heads.
 */
export function alibiOf(problem: Masked, format: Format, scale: number, slopes: readonly number[]): Alibi {
  const { shape } = problem;
  const { heads, keys, headDim } = shape;
  if (slopes.length !== heads) {
    throw new InputError({
      where: "slopes",
      got: `${slopes.length}`,
      expected: `one for each of ${heads} query heads`,
    });
  }
  const bits = numberTypes[format.operand].significandBits;
  const digits = Math.max(1, Math.ceil(Math.log2(keys) / bits));
  const weight = (d: number): number => 2 ** (bits * (digits - 1 - d));
  const slopeOf = (row: number): number => (slopes[placeOf(shape, row).h] as number) / scale;
  const largest = largestOperand(numberTypes[format.operand]);
  const inRange = (x: number): number => Math.min(largest, Math.max(-largest, x));
  const elements = {
    q: (row: number, d: number) =>
      d === 0 ? inRange(-slopeOf(row) * placeOfQuery(problem, placeOf(shape, row))) : slopeOf(row) * weight(d - 1),
    k: (row: number, d: number) => (d === 0 ? 1 : Math.floor((row % keys) / weight(d - 1)) % 2 ** bits),
  };
  const more = digits + 1;
  return {
    shape: { ...shape, headDim: headDim + more },
    elements: more,
    widener: name => widener(headDim, more, elements[name]),
  };
}

/** The inputs and the shape of `alibiOf`, whole. @throws InputError when the slopes do not fit the heads. */
export function withAlibi(
  inputs: AttentionInputs,
  problem: Masked,
  format: Format,
  scale: number,
  slopes: readonly number[],
): { readonly inputs: AttentionInputs; readonly shape: AttentionShape } {
  const alibi = alibiOf(problem, format, scale, slopes);
  return {
    inputs: { q: alibi.widener("q")(inputs.q), k: alibi.widener("k")(inputs.k), v: inputs.v },
    shape: alibi.shape,
  };
}

/** Puts `more` elements before each row of `width`, however the rows are cut into pieces. */
function widener(
  width: number,
  more: number,
  element: (row: number, d: number) => number,
): (piece: InputTensor) => InputTensor {
  let taken = 0;
  return piece => {
    const rowsBeginning = Math.ceil((taken + piece.length) / width) - Math.ceil(taken / width);
    const length = piece.length + rowsBeginning * more;
    const out = piece instanceof Float64Array ? new Float64Array(length) : new Float32Array(length);
    let at = 0;
    for (let from = 0; from < piece.length; ) {
      if (taken % width === 0) {
        for (let d = 0; d < more; d += 1) out[at + d] = element(taken / width, d);
        at += more;
      }
      const part = piece.subarray(from, from + width - (taken % width));
      out.set(part, at);
      from += part.length;
      at += part.length;
      taken += part.length;
    }
    return out;
  };
}
