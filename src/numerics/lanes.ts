import type { Format } from "./format.js";

/**
 * A row of accumulators side by side, seen as fp32 values and as their bits. The fast paths below do to each lane exactly
 * what `ProcessingElement.mac` does to one value (test/numerics/lanes.test.ts); storing to `values` is the rounding to fp32.
 */
export interface Lanes {
  readonly values: Float32Array;
  readonly bits: Uint32Array;
}

export function makeLanes(length: number): Lanes {
  const values = new Float32Array(length);
  return { values, bits: new Uint32Array(values.buffer) };
}

/**
 * s_i = rA(s_i + a * x[offset + i]) for the lanes start <= i < end: one multiply-accumulate on each PE of a row, operand `a`
 * broadcast. Overflow of fp16 leaves an infinity, which no later step takes away.
 */
export type MacRow = (s: Lanes, a: number, x: Float32Array, offset: number, start: number, end: number) => void;

/** 16-bit operands, fp32 sums: the product is exact, so the sum is rounded once. */
const macExact: MacRow = ({ values }, a, x, offset, start, end) => {
  for (let i = start; i < end; i += 1) values[i] = (values[i] as number) + a * (x[offset + i] as number);
};

/** fp32 operands: the product is rounded, then the sum. */
const macRounded: MacRow = ({ values }, a, x, offset, start, end) => {
  for (let i = start; i < end; i += 1) {
    values[i] = (values[i] as number) + Math.fround(a * (x[offset + i] as number));
  }
};

/** bf16 sums: RNE to fp32 by the store, then to bf16 by its bits. */
const macBf16: MacRow = ({ values, bits }, a, x, offset, start, end) => {
  for (let i = start; i < end; i += 1) {
    values[i] = (values[i] as number) + a * (x[offset + i] as number);
    const u = bits[i] as number;
    bits[i] = (u + 0x7fff + ((u >>> 16) & 1)) & 0xffff0000;
  }
};

/** Adding and subtracting it rounds a float64 below 2^27 to a multiple of 2^-24, ties to even, and -0 to +0. */
const toSubnormalFp16 = 1.5 * 2 ** 28;

/** fp16 sums: RNE to fp32 by the store, then to fp16 by its bits; subnormals and overflow apart. */
const macFp16: MacRow = ({ values, bits }, a, x, offset, start, end) => {
  for (let i = start; i < end; i += 1) {
    values[i] = (values[i] as number) + a * (x[offset + i] as number);
    const u = bits[i] as number;
    const magnitude = u & 0x7fffffff;
    if (magnitude < 0x38800000) values[i] = (values[i] as number) + toSubnormalFp16 - toSubnormalFp16;
    else if (magnitude < 0x477ff000) bits[i] = (u + 0xfff + ((u >>> 13) & 1)) & 0xffffe000;
    else bits[i] = (u & 0x80000000) | 0x7f800000;
  }
};

/** The multiply-accumulate of a format for a row of PEs. */
export function macRow(format: Format): MacRow {
  if (format.accumulator === "bf16") return macBf16;
  if (format.accumulator === "fp16") return macFp16;
  return format.operand === "fp32" ? macRounded : macExact;
}
