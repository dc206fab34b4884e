import type { FloatType } from "./format.js";

/**
 * A row of fp32 values side by side, seen as values and as their bits. The fast paths below do to each of them
 * exactly what `ProcessingElement.mac` does to one value (test/numerics/mac-chains.test.ts); storing to `values` is the
 * rounding to fp32.
 */
export interface FloatRow {
  readonly values: Float32Array;
  readonly bits: Uint32Array;
}

export function makeFloatRow(length: number): FloatRow {
  const values = new Float32Array(length);
  return { values, bits: new Uint32Array(values.buffer) };
}

/**
 * Operands that a row of accumulators takes one after the other: a[first + j] for 0 <= j < count, broadcast to all
 * of them.
 */
export interface Broadcast {
  readonly values: Float32Array;
  readonly first: number;
  readonly count: number;
}

/** What they are multiplied by: x[offset + j * stride + i] for accumulator i. */
export interface RowOperands {
  readonly values: Float32Array;
  readonly offset: number;
  readonly stride: number;
}

/**
 * For j ascending, s_i = rA(s_i + a_j * x_ji) for start <= i < end: chains of multiply-accumulates, one for each PE
 * of a row. Overflow of fp16 leaves an infinity, which no later step takes away.
 */
export type MacChains = (s: FloatRow, a: Broadcast, x: RowOperands, start: number, end: number) => void;

/** One step of every chain. */
type MacRow = (s: FloatRow, a: number, x: Float32Array, offset: number, start: number, end: number) => void;

/** 16-bit operands, fp32 sums: the product is exact, so the sum is rounded once. */
const macExact: MacRow = ({ values }, a, x, offset, start, end) => {
  for (let i = start; i < end; i += 1) values[i] = (values[i] as number) + a * (x[offset + i] as number);
};

/** The same, four steps for each time a sum is loaded and stored. */
const chainsExact: MacChains = (s, a, x, start, end) => {
  const { values } = s;
  const { values: operands, stride } = x;
  const last = a.first + a.count;
  let j = a.first;
  let at = x.offset;
  for (; j + 3 < last; j += 4) {
    const [a0, a1] = [a.values[j] as number, a.values[j + 1] as number];
    const [a2, a3] = [a.values[j + 2] as number, a.values[j + 3] as number];
    const at1 = at + stride;
    const at2 = at1 + stride;
    const at3 = at2 + stride;
    for (let i = start; i < end; i += 1) {
      let sum = Math.fround((values[i] as number) + a0 * (operands[at + i] as number));
      sum = Math.fround(sum + a1 * (operands[at1 + i] as number));
      sum = Math.fround(sum + a2 * (operands[at2 + i] as number));
      values[i] = sum + a3 * (operands[at3 + i] as number);
    }
    at = at3 + stride;
  }
  for (; j < last; j += 1) {
    macExact(s, a.values[j] as number, operands, at, start, end);
    at += stride;
  }
};

/** Chains of single steps. */
const chainsOf =
  (mac: MacRow): MacChains =>
  (s, a, x, start, end) => {
    for (let j = 0; j < a.count; j += 1) {
      mac(s, a.values[a.first + j] as number, x.values, x.offset + j * x.stride, start, end);
    }
  };

/** fp32 operands: the product is rounded, then the sum. */
const chainsRounded = chainsOf(({ values }, a, x, offset, start, end) => {
  for (let i = start; i < end; i += 1) {
    values[i] = (values[i] as number) + Math.fround(a * (x[offset + i] as number));
  }
});

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

/** Chains where products are no fp32 values: they are rounded first, and what is summed is 1 times them. */
const chainsOfRounded =
  (mac: MacRow): MacChains =>
  (s, a, x, start, end) => {
    const products = new Float32Array(Math.max(0, end - start));
    for (let j = 0; j < a.count; j += 1) {
      const at = x.offset + j * x.stride + start;
      for (let i = 0; i < products.length; i += 1) {
        products[i] = (a.values[a.first + j] as number) * (x.values[at + i] as number);
      }
      mac(s, 1, products, -start, start, end);
    }
  };

/** What multiply-accumulates are of. */
export interface MacKind {
  readonly accumulator: FloatType;
  /** Whether every product is an fp32 value. */
  readonly exact: boolean;
}

/** The chains of multiply-accumulates to an accumulator. */
export function macChains({ accumulator, exact }: MacKind): MacChains {
  if (accumulator === "fp32") return exact ? chainsExact : chainsRounded;
  const mac = accumulator === "bf16" ? macBf16 : macFp16;
  return exact ? chainsOf(mac) : chainsOfRounded(mac);
}
