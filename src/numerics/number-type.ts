import { smallestCorrection } from "./limits.js";

/**
 * The number types of operands and accumulators, as data (docs/arithmetic.md, "Types"): rounding, limits, error bounds
 * and storage derive from the entry of a type.
 */
export interface FloatSpec {
  readonly name: string;
  /** Bits of the significand, the leading one included. */
  readonly significandBits: number;
  /** The exponent of the least normal value; below it the step stays the same. */
  readonly leastExponent: number;
  /** The largest finite value. */
  readonly largest: number;
  /** T: operands below it in magnitude are +0. The least value of the type where nothing but zero is. */
  readonly flush: number;
  /** Bits of a value where it is stored. */
  readonly storageBits: number;
  /** What lies past the largest value rounds to it, in place of an infinity. */
  readonly saturates: boolean;
  /** An integer type: steps of 1, ties away from zero. */
  readonly integer: boolean;
}

type Entry = Pick<FloatSpec, "significandBits" | "leastExponent" | "largest" | "storageBits"> &
  Partial<Pick<FloatSpec, "flush" | "integer">>;

/** A type of its entry: types of 8 bits and less saturate, and no more than zero is flushed where nothing is said. */
export const numberType = (name: string, entry: Entry): FloatSpec => ({
  name,
  ...entry,
  flush: entry.flush ?? (entry.integer === true ? 1 : 2 ** (entry.leastExponent - entry.significandBits + 1)),
  saturates: entry.storageBits <= 8,
  integer: entry.integer ?? false,
});

/** The largest value of a type whose largest exponent holds `significandBits` ones. */
const allOnes = (exponent: number, significandBits: number): number => 2 ** exponent * (2 - 2 ** (1 - significandBits));

const entries = {
  // Products of two operands stay clear of subnormals above these flushes.
  fp32: { significandBits: 24, leastExponent: -126, largest: allOnes(127, 24), storageBits: 32, flush: 2 ** -30 },
  bf16: {
    significandBits: 8,
    leastExponent: -126,
    largest: allOnes(127, 8),
    storageBits: 16,
    flush: smallestCorrection,
  },
  fp16: { significandBits: 11, leastExponent: -14, largest: allOnes(15, 11), storageBits: 16 },
  // OCP 8-bit Floating Point Specification 1.0: e4m3 gives its highest code alone to NaN, e5m2 follows IEEE 754.
  "fp8-e4m3": { significandBits: 4, leastExponent: -6, largest: 448, storageBits: 8 },
  "fp8-e5m2": { significandBits: 3, leastExponent: -14, largest: 57344, storageBits: 8 },
  // OCP Microscaling Formats 1.0: the 6- and 4-bit types have neither infinities nor NaN.
  "fp6-e2m3": { significandBits: 4, leastExponent: 0, largest: 7.5, storageBits: 6 },
  "fp6-e3m2": { significandBits: 3, leastExponent: -2, largest: 28, storageBits: 6 },
  "fp4-e2m1": { significandBits: 2, leastExponent: 0, largest: 6, storageBits: 4 },
  int8: { significandBits: 7, leastExponent: 0, largest: 127, storageBits: 8, integer: true },
} as const satisfies Readonly<Record<string, Entry>>;

export type NumberType = keyof typeof entries;

export const numberTypeNames = Object.keys(entries) as readonly NumberType[];

export const numberTypes = Object.fromEntries(
  Object.entries(entries).map(([name, entry]) => [name, numberType(name, entry)]),
) as Readonly<Record<NumberType, FloatSpec>>;

/** The exponents of E8M0, the scale of a microscaling block: powers of two alone. */
export const scaleExponents = { least: -127, greatest: 127, storageBits: 8 } as const;

const double = new Float64Array(1);
const doubleBits = new Uint32Array(double.buffer);
double[0] = 1;
/** Which half of a float64 holds the exponent on this machine. */
const highWord = doubleBits.indexOf(0x3ff00000);

/** floor(log2 |x|) of a finite float64 that is not zero. */
export function exponentOf(x: number): number {
  double[0] = x;
  const biased = ((doubleBits[highWord] as number) >>> 20) & 0x7ff;
  return biased === 0 ? exponentOf(x * 2 ** 64) - 64 : biased - 1023;
}
