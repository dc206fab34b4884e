import type { FloatType } from "./format.js";
import { smallestCorrection, smallestResult } from "./limits.js";
import { exponentOf, type FloatSpec, numberTypes } from "./number-type.js";

/**
 * Rounding to the formats of the PEs (docs/numerics.md, "Formats"). Every value is held as a float64 that is exactly
 * an fp32, bf16 or fp16 value. RNE = to nearest, ties to even. Everything here is integer operations or single
 * correctly rounded float64 operations, so the bits are the same in every JavaScript engine.
 */

/** One fp32 value seen as its bits; shared scratch, so nothing here may be re-entered between write and read. */
const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

/** 2^floor(log2 |x|) of a normal fp32 value, +0 of what is smaller. */
export function binadeFp32(x: number): number {
  float[0] = x;
  bits[0] = (bits[0] as number) & 0x7f800000;
  return float[0] as number;
}

/** RNE to fp32. */
export const roundFp32 = Math.fround;

/** The bits of an fp32 value. */
export function bitsOf(x: number): number {
  float[0] = x;
  return bits[0] as number;
}

/** The fp32 value with these bits. */
export function fromBits(u: number): number {
  bits[0] = u;
  return float[0] as number;
}

/**
 * RNE of an fp32 value to bfloat16, bits to bits (as an int32). The carry out of the significand is the exponent's
 * increment.
 */
export function roundBf16Bits(u: number): number {
  // A NaN of many ones would carry into the sign and be a zero.
  if ((u & 0x7fffffff) > 0x7f800000) return 0x7fc00000;
  return (u + 0x7fff + ((u >>> 16) & 1)) & 0xffff0000;
}

/** RNE of an fp32 value to bfloat16. */
export function roundBf16(x: number): number {
  float[0] = x;
  bits[0] = roundBf16Bits(bits[0] as number);
  return float[0] as number;
}

/** RNE of an fp32 value to binary16, subnormals included; 65520 and above give an infinity. Keeps the sign of zero. */
export function roundFp16(x: number): number {
  float[0] = x;
  const u = bits[0] as number;
  const sign = u & 0x80000000;
  const magnitude = u & 0x7fffffff;
  if (magnitude >= 0x477ff000) bits[0] = magnitude > 0x7f800000 ? 0x7fc00000 : sign | 0x7f800000;
  else if (magnitude >= 0x38800000) bits[0] = sign | ((magnitude + 0xfff + ((magnitude >>> 13) & 1)) & 0xffffe000);
  else return subnormalFp16(sign, magnitude);
  return float[0] as number;
}

/** Below 2^-14 binary16 counts in steps of 2^-24. */
function subnormalFp16(sign: number, magnitude: number): number {
  const shift = 126 - (magnitude >>> 23);
  let steps = 0;
  if (shift <= 24) {
    const significand = (magnitude & 0x7fffff) | 0x800000;
    steps = significand >>> shift;
    const rest = significand - steps * 2 ** shift;
    const half = 2 ** (shift - 1);
    if (rest > half || (rest === half && (steps & 1) === 1)) steps += 1;
  }
  const value = steps * 2 ** -24;
  return sign === 0 ? value : -value;
}

/** 1.5 * 2^52: adding and subtracting it rounds a float64 below 2^51 to an integer, ties to even. */
const toInteger = 1.5 * 2 ** 52;

/**
 * Any float64 to a type in one rounding, never through fp32: to nearest, ties to even (an integer type: away from
 * zero), gradual underflow. Past the largest value a type gives it where it saturates, else an infinity; NaN stays NaN.
 */
export function roundToType(x: number, type: FloatSpec): number {
  // The machine rounds to fp32 itself.
  if (Number.isNaN(x) || type.significandBits === 24) return Math.fround(x);
  const magnitude = Math.abs(x);
  const rounded = roundMagnitude(magnitude, type);
  const kept = rounded <= type.largest ? rounded : type.saturates ? type.largest : Infinity;
  return x < 0 || Object.is(x, -0) ? -kept : kept;
}

/** Whether rounding takes x to the largest value of a type for want of a larger one. */
export const isSaturated = (x: number, type: FloatSpec): boolean =>
  type.saturates && !(roundMagnitude(Math.abs(x), type) <= type.largest);

/** Rounds fp32 values to a type as `roundToType` does, and -0 to +0. */
export function typeRounder(type: FloatSpec): (x: number) => number {
  const { significandBits, leastExponent, largest, integer } = type;
  if (significandBits >= 24) return x => x;
  if (type.name === "bf16") return x => roundBf16(x) + 0;
  if (type.name === "fp16") return x => roundFp16(x) + 0;
  const beyond = type.saturates ? largest : Infinity;
  const kept = (y: number): number => (y > largest ? beyond : y < -largest ? -beyond : y + 0);
  if (integer) return x => kept(x < 0 ? -Math.floor(-x + 0.5) : Math.floor(x + 0.5));
  const dropped = 24 - significandBits;
  const half = 2 ** (dropped - 1) - 1;
  const mask = -(2 ** dropped);
  const least = bitsOf(2 ** leastExponent);
  const subnormal = toInteger * 2 ** (leastExponent - significandBits + 1);
  return x => {
    float[0] = x;
    const u = bits[0] as number;
    const magnitude = u & 0x7fffffff;
    if (magnitude < least) return x + subnormal - subnormal;
    bits[0] = (u + half + ((u >>> dropped) & 1)) & mask;
    return kept(float[0] as number);
  };
}

/** The largest magnitude among fp32 values that a type holds without saturating, rounding included. */
export function lastUnsaturated(type: FloatSpec): number {
  if (!type.saturates) return numberTypes.fp32.largest;
  const step = 2 ** (exponentOf(type.largest) - type.significandBits + 1);
  const middle = type.largest + step / 2;
  return isSaturated(middle, type) ? fromBits(bitsOf(middle) - 1) : middle;
}

function roundMagnitude(x: number, { integer, significandBits, leastExponent }: FloatSpec): number {
  if (x === 0 || x === Infinity) return x;
  // x - floor(x) is exact; x + 0.5 is not.
  if (integer) return Math.floor(x) + (x - Math.floor(x) >= 0.5 ? 1 : 0);
  const exponent = exponentOf(x);
  const step = Math.max(exponent, leastExponent) - (significandBits - 1);
  if (exponent < step - 1) return 0;
  // Steps of 2^-149 and more: both powers are normal float64s.
  return (x / 2 ** step + toInteger - toInteger) * 2 ** step;
}

/** `roundToType` for the formats' types. */
export const roundFloat64 = (x: number, type: FloatType): number => roundToType(x, numberTypes[type]);

/** RNE of an fp32 value to a format. */
export function rounder(type: FloatType): (x: number) => number {
  return type === "bf16" ? roundBf16 : type === "fp16" ? roundFp16 : roundFp32;
}

/** rO of an fp32 value: RNE to O, then |x| < T and -0 give +0. */
export function operandRounder(type: FloatType): (x: number) => number {
  const round = rounder(type);
  const smallest = numberTypes[type].flush;
  return x => {
    const y = round(x);
    return y < smallest && y > -smallest ? 0 : y;
  };
}

/** rO of a float64 value, rounded once. */
export function operandFromFloat64(x: number, type: FloatType): number {
  return roundToOperand(x, numberTypes[type]);
}

/** rO of a float64 value to any type, rounded once: -0 and what lies below T give +0. */
export function roundToOperand(x: number, type: FloatSpec): number {
  const y = roundToType(x, type);
  return y < type.flush && y > -type.flush ? 0 : y;
}

/** rA of a float64 that stands for a sum or product of fp32 values: RNE to fp32, then to A; -0 gives +0. */
export function accumulatorRounder(type: FloatType): (x: number) => number {
  if (type === "fp32") return x => Math.fround(x) + 0;
  const round = rounder(type);
  return x => round(Math.fround(x)) + 0;
}

/** z: |x| < 2^-100 and -0 give +0. */
export function flushTiny(x: number): number {
  return x < smallestResult && x > -smallestResult ? 0 : x;
}

/** The rest of rP, after rA: below 2^-50 gives +0. */
export function flushCorrection(x: number): number {
  return x < smallestCorrection ? 0 : x;
}
