import type { FloatSpec } from "./number-type.js";
import { bitsOf, isSaturated, roundToOperand } from "./rounding.js";
import { quotient32 } from "./single-rounding.js";

/*
 * rO of many values at a time, each first divided by a scale: the same as `roundToOperand` and `quotient32` give one by one, in
 * loops without calls, since a long sequence has hundreds of millions of values.
 */

/** Values as they are given: fp32, or float64 where they are rounded once from there. */
export type GivenValues = Float32Array | Float64Array;

/** What values are divided by before they are rounded. */
export interface Division {
  /** One for all values, or where `perValue` one for each; of 0 the operand is +0. */
  readonly scales: Float64Array;
  readonly perValue: boolean;
  /** Whether the quotient itself is rounded to an operand (powers of two), or its fp32 value. */
  readonly exact: boolean;
}

/**
 * rO of the values [from, to), to the same places of `out`. Gives how many were past the largest value of a type that
 * saturates; of another they leave something above it.
 */
export function quantize(
  values: GivenValues,
  from: number,
  to: number,
  division: Division,
  type: FloatSpec,
  out: Float32Array,
): number {
  if (values instanceof Float64Array) return quantizeFloat64(values, from, to, division, type, out);
  return (type.integer ? quantizeIntegers : quantizeFloats)(values, from, to, division, type, out);
}

/** Quotients of fp32 values are rounded to fp32 correctly by way of float64; exact ones are fp32 values or below every operand. */
function quantizeFloats(
  values: Float32Array,
  from: number,
  to: number,
  { scales, perValue }: Division,
  { significandBits, leastExponent, largest, saturates, flush }: FloatSpec,
  out: Float32Array,
): number {
  const bits = new Int32Array(out.buffer, out.byteOffset, out.length);
  const dropped = 24 - significandBits;
  const half = dropped === 0 ? 0 : 2 ** (dropped - 1) - 1;
  const odd = dropped === 0 ? 0 : 1;
  const mask = -(2 ** dropped);
  const least = bitsOf(2 ** leastExponent);
  const [most, flushed] = [bitsOf(largest), bitsOf(flush)];
  // Adding and subtracting it rounds to the step of subnormals, ties to even.
  const subnormal = 1.5 * 2 ** (52 + leastExponent - significandBits + 1);
  let saturated = 0;
  for (let i = from; i < to; i += 1) {
    const scale = scales[perValue ? i - from : 0] as number;
    const x = scale === 0 ? 0 : Math.fround((values[i] as number) / scale);
    out[i] = x;
    const u = bits[i] as number;
    if ((u & 0x7fffffff) < least) out[i] = x + subnormal - subnormal;
    else bits[i] = (u + half + ((u >>> dropped) & odd)) & mask;
    const magnitude = (bits[i] as number) & 0x7fffffff;
    if (magnitude < flushed) bits[i] = 0;
    else if (magnitude > most && saturates) {
      bits[i] = (u & 0x80000000) | most;
      saturated += 1;
    }
  }
  return saturated;
}

function quantizeIntegers(
  values: Float32Array,
  from: number,
  to: number,
  { scales, perValue }: Division,
  { largest }: FloatSpec,
  out: Float32Array,
): number {
  let saturated = 0;
  for (let i = from; i < to; i += 1) {
    const scale = scales[perValue ? i - from : 0] as number;
    const x = scale === 0 ? 0 : Math.fround((values[i] as number) / scale);
    let magnitude = Math.floor(Math.abs(x) + 0.5);
    if (magnitude > largest) {
      magnitude = largest;
      saturated += 1;
    }
    out[i] = x < 0 ? 0 - magnitude : magnitude;
  }
  return saturated;
}

function quantizeFloat64(
  values: Float64Array,
  from: number,
  to: number,
  { scales, perValue, exact }: Division,
  type: FloatSpec,
  out: Float32Array,
): number {
  let saturated = 0;
  for (let i = from; i < to; i += 1) {
    const [x, scale] = [values[i] as number, scales[perValue ? i - from : 0] as number];
    const ratio = scale === 0 ? 0 : exact ? x / scale : quotient32(x, scale);
    out[i] = roundToOperand(ratio, type);
    if (isSaturated(ratio, type)) saturated += 1;
  }
  return saturated;
}

/** The largest magnitude of the values [from, to); NaN where one is not a number. */
export function largestMagnitude(values: GivenValues, from: number, to: number): number {
  let largest = 0;
  for (let i = from; i < to; i += 1) {
    const magnitude = Math.abs(values[i] as number);
    if (!(magnitude <= largest)) {
      if (Number.isNaN(magnitude)) return magnitude;
      largest = magnitude;
    }
  }
  return largest;
}
