import { InputError } from "../errors.js";
import type { FloatType, Format } from "../numerics/format.js";
import type { AttentionInputs, InputTensor } from "./operands.js";
import type { AttentionShape } from "./problem.js";

/** Bits of a key's position that one operand holds exactly. */
const digitBits: Readonly<Record<FloatType, number>> = { bf16: 8, fp16: 11, fp32: 24 };

/** The slopes of ALiBi (Press, Smith and Lewis, ICLR 2022) for a power of two of heads: 2^(-8 h / heads), h = 1 … heads. */
export function alibiSlopes(heads: number): number[] {
  return Array.from({ length: heads }, (_, h) => 2 ** ((-8 * (h + 1)) / heads));
}

/**
 * Attention with linear biases on the array as it is: adding slope * m to the scores of key m, which softmax cannot tell from slope * (m - i), is a few
 * more elements of the dot product. A key gets the digits of its position, exact in the operand format, most significant first; a query
 * gets slope / scale times the weight of each digit, rounded to the operand format like any input.
 *
 * Gives the inputs and the shape with a larger E. `slopes` has one for each query head; `scale` is the one that the problem will use
 * (that of the original E).
 * @throws InputError when the slopes do not fit the heads.
 */
export function withAlibi(
  inputs: AttentionInputs,
  shape: AttentionShape,
  format: Format,
  scale: number,
  slopes: readonly number[],
): { readonly inputs: AttentionInputs; readonly shape: AttentionShape } {
  const { heads, queries, keys, headDim } = shape;
  if (slopes.length !== heads) {
    throw new InputError({
      where: "slopes",
      got: `${slopes.length}`,
      expected: `one for each of ${heads} query heads`,
    });
  }
  const bits = digitBits[format.operand];
  const digits = Math.max(1, Math.ceil(Math.log2(keys) / bits));
  const weight = (d: number): number => 2 ** (bits * (digits - 1 - d));
  const slopeOf = (row: number): number => (slopes[Math.floor(row / queries) % heads] as number) / scale;
  return {
    inputs: {
      q: widen(inputs.q, headDim, digits, (row, d) => slopeOf(row) * weight(d)),
      k: widen(inputs.k, headDim, digits, (row, d) => Math.floor((row % keys) / weight(d)) % 2 ** bits),
      v: inputs.v,
    },
    shape: { ...shape, headDim: headDim + digits },
  };
}

/** Appends `more` elements to each row of `width`. */
function widen(x: InputTensor, width: number, more: number, element: (row: number, d: number) => number): InputTensor {
  const rows = x.length / width;
  const out =
    x instanceof Float64Array ? new Float64Array(rows * (width + more)) : new Float32Array(rows * (width + more));
  for (let row = 0; row < rows; row += 1) {
    const at = row * (width + more);
    out.set(x.subarray(row * width, (row + 1) * width), at);
    for (let d = 0; d < more; d += 1) out[at + width + d] = element(row, d);
  }
  return out;
}
