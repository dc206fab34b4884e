import type { BlockDot } from "./arithmetic.js";
import type { FloatRow } from "./mac-chains.js";
import type { FloatSpec } from "./number-type.js";

/*
 * The steps of a tensor core (block-sum.ts) for a row of sums: the same bits, with the exponents of operands found once. A value has
 * the binade 2^e, e its exponent, that of a subnormal the type's least one; 0 has 0. Binades of factors multiply to that of the product.
 */

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

/** Binades of `count` operands from `first` on, in float64, into `out` from `at` on. */
export function binades(
  values: Float32Array,
  first: number,
  count: number,
  { leastExponent }: FloatSpec,
  out: Float64Array,
  at: number,
): void {
  const least = 2 ** leastExponent;
  for (let i = 0; i < count; i += 1) out[at + i] = binadeOf(values[first + i] as number, least);
}

function binadeOf(x: number, least: number): number {
  if (x === 0) return 0;
  float[0] = x;
  bits[0] = (bits[0] as number) & 0x7f800000;
  return Math.max(float[0] as number, least);
}

/** 2^-126, the least normal binade of fp32. */
const leastFp32 = 2 ** -126;

/** Operands of a step, one for each sum: values and their binades, element i at `offset + j * stride + i` for position j. */
export interface StepOperands {
  readonly values: Float32Array;
  readonly binades: Float64Array;
  readonly offset: number;
  readonly stride: number;
}

/** Those that are broadcast to all sums, `count` positions from `first` on. */
export interface StepBroadcast {
  readonly values: Float32Array;
  readonly binades: Float64Array;
  readonly first: number;
  readonly count: number;
}

/** The steps of one kind, for up to `most` sums at a time. */
export class StepSums {
  private readonly largest: Float64Array;
  private readonly factor: Float64Array;
  private readonly sums: Float64Array;
  private readonly fractionBits: number;

  constructor(
    private readonly dot: BlockDot,
    most: number,
  ) {
    this.largest = new Float64Array(most);
    this.factor = new Float64Array(most);
    this.sums = new Float64Array(most);
    this.fractionBits = dot.result === "fp32-rz" ? 23 : 13;
  }

  /**
   * One step: s_i takes the products a_j * x_ji * scale_i of all positions, for start <= i < end. Scales are powers of
   * two, that of sum i at `i - start`; null: 1.
   */
  step(
    { values: s }: FloatRow,
    a: StepBroadcast,
    x: StepOperands,
    start: number,
    end: number,
    scales: Float64Array | null,
  ): void {
    const { largest, factor, sums, fractionBits } = this;
    const count = end - start;
    const cut = 2 ** this.dot.align;
    largest.fill(0, 0, count);
    for (let j = 0; j < a.count; j += 1) {
      const binade = a.binades[a.first + j] as number;
      if (binade === 0) continue;
      const at = x.offset + j * x.stride + start;
      for (let i = 0; i < count; i += 1) {
        const product = binade * (x.binades[at + i] as number);
        if (product > (largest[i] as number)) largest[i] = product;
      }
    }
    for (let i = 0; i < count; i += 1) {
      const before = s[start + i] as number;
      const scale = scales === null ? 1 : (scales[i] as number);
      const m = Math.max((largest[i] as number) * scale, binadeOf(before, leastFp32));
      largest[i] = m;
      const f = m === 0 ? 0 : cut / m;
      factor[i] = f * scale;
      sums[i] = Math.trunc(before * f);
    }
    for (let j = 0; j < a.count; j += 1) {
      const value = a.values[a.first + j] as number;
      if (value === 0) continue;
      const at = x.offset + j * x.stride + start;
      for (let i = 0; i < count; i += 1) {
        sums[i] = (sums[i] as number) + Math.trunc(value * (x.values[at + i] as number) * (factor[i] as number));
      }
    }
    for (let i = 0; i < count; i += 1) {
      s[start + i] = cutToFp32(((sums[i] as number) * (largest[i] as number)) / cut, fractionBits);
    }
  }
}

/** Cut toward zero to fp32 with so many fraction bits; an infinity past its range, never -0. */
function cutToFp32(x: number, fractionBits: number): number {
  const rounded = Math.fround(x);
  float[0] = rounded;
  const magnitude = Math.abs(x);
  if (magnitude >= 2 ** 128 || Number.isNaN(x)) return x;
  // Magnitudes grow with their bits.
  if (Math.abs(rounded) > magnitude) bits[0] = (bits[0] as number) - 1;
  bits[0] = (bits[0] as number) & (-1 << (23 - fractionBits));
  return (float[0] as number) + 0;
}
