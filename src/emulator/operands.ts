import { type ExistingRows, existingRows } from "../attention/existing-rows.js";
import { type AttentionMask, noMask } from "../attention/mask.js";
import type { Operands } from "../attention/problem.js";
import { type AttentionShape, type InputName, tensorShapes, valuesOf } from "../attention/shape.js";
import { howMany, InputError } from "../errors.js";
import type { ArithmeticSpec } from "../numerics/arithmetic.js";
import { coordinatesOf } from "../numerics/coordinates.js";
import { type FloatType, floatTypes } from "../numerics/format.js";
import { boundInWords, largestOperand } from "../numerics/limits.js";
import { numberTypes } from "../numerics/number-type.js";
import { bitsOf, operandFromFloat64, operandRounder, roundBf16Bits } from "../numerics/rounding.js";
import { encodeOperands } from "./encode.js";
import type { GivenScales } from "./given-scales.js";
import type { GivenBias } from "./score-operands.js";

/** A tensor as given: fp32 holds F32, F16 and BF16 files exactly; F64 stays float64 so that it is rounded once. */
export type InputTensor = Float32Array | Float64Array;

/** Q [B,H,P,E], K [B,Hkv,M,E], V [B,Hkv,M,F], row-major, as given. */
export interface AttentionInputs {
  readonly q: InputTensor;
  readonly k: InputTensor;
  readonly v: InputTensor;
  /** Scales of tensors whose values are operands already. */
  readonly scales?: GivenScales;
  readonly bias?: GivenBias;
  /** A logit for each query head, in score units: of no key, but in its softmax. */
  readonly sink?: ArrayLike<number>;
}

/**
 * Makes operands of Q, K and V, with the scales of the arithmetic (encode.ts), in arrays from `allocate` (see `Engine.allocate`). Padding past the
 * mask's lengths, and keys and values that no query sees, may hold anything, and become +0.
 * @throws InputError that names tensor, index and value for a NaN, an Inf or a magnitude out of the operand's range,
 * and for a tensor whose length is not that of its shape.
 */
export function roundOperands(
  inputs: AttentionInputs,
  shape: AttentionShape,
  arithmetic: ArithmeticSpec,
  allocate?: (length: number) => Float32Array,
  mask: AttentionMask = noMask,
): Operands {
  const types = valueByValue(arithmetic);
  if (types === null || inputs.scales !== undefined) {
    return encodeOperands(inputs, { shape, mask, arithmetic }, allocate);
  }
  const shapes = tensorShapes(shape);
  const round = (name: InputName): Float32Array =>
    roundTensor(inputs[name], name, shapes[name], types[name], allocate, existingRows({ shape, mask }, name));
  return { q: round("q"), k: round("k"), v: round("v") };
}

/**
 * The types of operands that are rounded value by value, without scales, means or counts, so that the values of a tensor may
 * come in pieces (`roundPart`); null where `roundOperands` needs whole tensors.
 */
export function valueByValue({ operands, smooth }: ArithmeticSpec): Readonly<Record<InputName, FloatType>> | null {
  const typeOf = (name: InputName): FloatType | undefined =>
    operands[name].scale === "none" ? floatTypes.find(type => type === operands[name].type.name) : undefined;
  const [q, k, v] = [typeOf("q"), typeOf("k"), typeOf("v")];
  return smooth === "keys" || q === undefined || k === undefined || v === undefined ? null : { q, k, v };
}

/** Rounds one tensor to operands; `name` and `shape` are for the error. */
export function roundTensor(
  tensor: InputTensor,
  name: string,
  shape: readonly number[],
  type: FloatType,
  allocate = (length: number): Float32Array => new Float32Array(length),
  rows: ExistingRows | null = null,
): Float32Array {
  const size = valuesOf(shape);
  if (tensor.length !== size) {
    throw new InputError({
      where: name,
      got: howMany(tensor.length, "value"),
      expected: `${size} for the shape [${shape.join(", ")}]`,
    });
  }
  const out = allocate(size);
  roundPart(tensor, out, 0, name, shape, type, rows);
  return out;
}

/**
 * Rounds the values of a tensor from flat index `start` on to operands, at their places in `out`: for tensors that are
 * taken piece by piece. `name` and the whole tensor's `shape` are for the error. Of a tensor [B, H, rows, width] only
 * `rows` are read where they are given; the others become +0. Gives whether the rounding changed nothing.
 */
export function roundPart(
  part: InputTensor,
  out: Float32Array,
  start: number,
  name: string,
  shape: readonly number[],
  type: FloatType,
  rows: ExistingRows | null = null,
): boolean {
  if (rows === null) return roundStretch(part, out, start, name, shape, type);
  let exact = true;
  for (const { from, to, exists } of stretches(shape, rows, start, start + part.length)) {
    const own = part.subarray(from - start, to - start);
    if (exists) exact = roundStretch(own, out, from, name, shape, type) && exact;
    else out.fill(0, from, to);
  }
  return exact;
}

/** The stretches of [from, to) that exist, and those that are padding. */
function* stretches([, , rows = 1, width = 1]: readonly number[], existing: ExistingRows, from: number, to: number) {
  for (let at = from; at < to; ) {
    const head = Math.floor(at / (rows * width));
    const begin = head * rows * width;
    const ranges = existing(head);
    const own = ranges.find(range => begin + range.to * width > at);
    const first = own === undefined ? begin + rows * width : begin + own.from * width;
    const exists = own !== undefined && first <= at;
    const end = Math.min(to, exists ? begin + own.to * width : first);
    yield { from: at, to: end, exists };
    at = end;
  }
}

function roundStretch(
  part: InputTensor,
  out: Float32Array,
  start: number,
  name: string,
  shape: readonly number[],
  type: FloatType,
): boolean {
  const byBits = part instanceof Float32Array && type !== "fp16";
  const { exact, refused } = byBits
    ? roundBits(part, out.subarray(start, start + part.length), type)
    : roundValues(part, out, start, type);
  if (refused !== null) throw outOfRange(name, shape, start + refused, part[refused] as number, type);
  return exact;
}

interface Rounded {
  /** Whether every value was an operand already. */
  readonly exact: boolean;
  /** The first value that gives no operand, or null. What comes after it is not rounded. */
  readonly refused: number | null;
}

function roundValues(part: InputTensor, out: Float32Array, start: number, type: FloatType): Rounded {
  const limit = largestOperand(numberTypes[type]);
  const round = part instanceof Float64Array ? (x: number) => operandFromFloat64(x, type) : operandRounder(type);
  let exact = true;
  for (let i = 0; i < part.length; i += 1) {
    const y = round(part[i] as number);
    if (!(y <= limit && y >= -limit)) return { exact, refused: i };
    if (y !== part[i]) exact = false;
    out[start + i] = y;
  }
  return { exact, refused: null };
}

/** The same in integers, several times as fast: a long sequence has hundreds of millions of values. */
function roundBits(part: Float32Array, out: Float32Array, type: "bf16" | "fp32"): Rounded {
  const given = new Int32Array(part.buffer, part.byteOffset, part.length);
  const rounded = new Int32Array(out.buffer, out.byteOffset, out.length);
  const largest = bitsOf(largestOperand(numberTypes[type]));
  const smallest = bitsOf(numberTypes[type].flush);
  let exact = true;
  for (let i = 0; i < given.length; i += 1) {
    const u = given[i] as number;
    let y = type === "bf16" ? roundBf16Bits(u) : u;
    if ((y & 0x7fffffff) > largest) return { exact, refused: i };
    if ((y & 0x7fffffff) < smallest) y = 0;
    if (y !== u && (u & 0x7fffffff) !== 0) exact = false;
    rounded[i] = y;
  }
  return { exact, refused: null };
}

function outOfRange(name: string, shape: readonly number[], index: number, value: number, type: FloatType) {
  const limit = largestOperand(numberTypes[type]);
  return new InputError({
    where: `${name}[${coordinatesOf(shape, index).join(", ")}]`,
    got: String(value),
    expected: `a finite value of magnitude at most ${boundInWords(limit)} after rounding to ${type}`,
    fix: "scale the input down or choose another format",
  });
}
