import { describe, expect, it } from "vitest";
import { exponentOf, type FloatSpec, numberType, numberTypes, scaleExponents } from "../../src/numerics/number-type.js";
import { fromBits, roundToOperand, roundToType } from "../../src/numerics/rounding.js";

/** A type that ships with no entry: adding one is this. */
const fp8e3m4 = numberType("fp8-e3m4", { significandBits: 5, leastExponent: -2, largest: 15.5, storageBits: 8 });

/** Exponent and fraction bits of an encoding, its bias, and the codes past its largest finite value. */
interface Encoding {
  readonly type: FloatSpec;
  readonly exponentBits: number;
  readonly fractionBits: number;
  readonly codesAbove: number;
}

const encodings: readonly Encoding[] = [
  { type: numberTypes["fp8-e4m3"], exponentBits: 4, fractionBits: 3, codesAbove: 1 },
  { type: numberTypes["fp8-e5m2"], exponentBits: 5, fractionBits: 2, codesAbove: 4 },
  { type: numberTypes["fp6-e2m3"], exponentBits: 2, fractionBits: 3, codesAbove: 0 },
  { type: numberTypes["fp6-e3m2"], exponentBits: 3, fractionBits: 2, codesAbove: 0 },
  { type: numberTypes["fp4-e2m1"], exponentBits: 2, fractionBits: 1, codesAbove: 0 },
  { type: fp8e3m4, exponentBits: 3, fractionBits: 4, codesAbove: 16 },
  { type: numberTypes.fp16, exponentBits: 5, fractionBits: 10, codesAbove: 1024 },
];

/** The values of all codes from 0 on, ascending: read from the code's fields, not from the entry. */
function valuesOf({ exponentBits, fractionBits, codesAbove }: Encoding): readonly number[] {
  const bias = 2 ** (exponentBits - 1) - 1;
  const count = 2 ** (exponentBits + fractionBits) - codesAbove;
  return Array.from({ length: count }, (_, code) => {
    const exponent = code >> fractionBits;
    const fraction = (code & (2 ** fractionBits - 1)) / 2 ** fractionBits;
    return exponent === 0 ? fraction * 2 ** (1 - bias) : (1 + fraction) * 2 ** (exponent - bias);
  });
}

/** `expect`, which costs more than to round, only where it fails. */
const isValue = (given: number, expected: number, what: string, x: number): void => {
  if (!Object.is(given, expected)) expect(given, `${what} of ${x}`).toBe(expected);
};

const bothSigns = (type: FloatSpec, x: number, expected: number): void => {
  isValue(roundToType(x, type), expected, "value", x);
  isValue(roundToType(-x, type), expected === 0 ? -0 : -expected, "value", -x);
  isValue(roundToOperand(-x, type), expected === 0 ? 0 : -expected, "operand", -x);
};

describe.each(encodings)("$type.name", encoding => {
  const { type, fractionBits } = encoding;
  const values = valuesOf(encoding);

  it("has the largest value and the bits of storage of its encoding", () => {
    expect(type.largest).toBe(values.at(-1));
    expect(type.storageBits).toBe(1 + encoding.exponentBits + fractionBits);
    expect(type.significandBits).toBe(1 + fractionBits);
    expect(type.flush).toBe(values[1]);
  });

  it("keeps each of its values", () => {
    for (const value of values) bothSigns(type, value, value);
  });

  it("rounds what lies between two to the nearer, ties to the even code", () => {
    for (let code = 0; code + 1 < values.length; code += 1) {
      const [below, above] = [values[code] ?? Number.NaN, values[code + 1] ?? Number.NaN];
      const middle = (below + above) / 2;
      const slightly = (above - below) * 2 ** -30;
      bothSigns(type, middle, code % 2 === 0 ? below : above);
      bothSigns(type, middle - slightly, below);
      bothSigns(type, middle + slightly, above);
    }
  });

  it("saturates past the largest value, or overflows", () => {
    const past = type.storageBits <= 8 ? type.largest : Number.POSITIVE_INFINITY;
    for (const x of [type.largest * 1.5, 2 ** 60, 1e300, Number.POSITIVE_INFINITY]) bothSigns(type, x, past);
    expect(roundToType(Number.NaN, type)).toBeNaN();
  });
});

describe("types with too many codes to go through, and integers", () => {
  it("fp32 and bf16 have the exponents of IEEE 754's binary32, and the contract's flushes", () => {
    const ends = { leastExponent: -126, saturates: false, integer: false };
    const [fp32Most, bf16Most] = [fromBits(0x7f7fffff), fromBits(0x7f7f0000)];
    expect(numberTypes.fp32).toEqual({
      name: "fp32",
      ...ends,
      significandBits: 24,
      largest: fp32Most,
      storageBits: 32,
      flush: 2 ** -30,
    });
    expect(numberTypes.bf16).toEqual({
      name: "bf16",
      ...ends,
      significandBits: 8,
      largest: bf16Most,
      storageBits: 16,
      flush: 2 ** -50,
    });
    expect(exponentOf(fromBits(0x00800000))).toBe(-126);
  });

  it("an integer type is zero below 1, and one of more than 8 bits does not saturate", () => {
    const int8 = { significandBits: 7, leastExponent: 0, largest: 127, storageBits: 8, integer: true };
    expect(numberTypes.int8).toEqual({ name: "int8", ...int8, flush: 1, saturates: true });
    expect(numberType("int9", { ...int8, significandBits: 8, largest: 255, storageBits: 9 }).saturates).toBe(false);
  });

  it("scales of powers of two have 8 bits", () =>
    expect(scaleExponents).toEqual({ least: -127, greatest: 127, storageBits: 8 }));
});

describe("int8", () => {
  it("rounds to nearest, ties away from zero, and saturates at 127", () => {
    const type = numberTypes.int8;
    bothSigns(type, 0, 0);
    for (let i = 0; i < 127; i += 1) {
      bothSigns(type, i, i);
      bothSigns(type, i + 0.5, i + 1);
      bothSigns(type, i + 0.5 - 2 ** -46, i);
    }
    bothSigns(type, 0.5 - 2 ** -54, 0);
    for (const x of [127, 127.5, 128, 1e300]) bothSigns(type, x, 127);
  });
});

describe("exponentOf", () => {
  it.each([
    [1, 0],
    [-1.999, 0],
    [0.75, -1],
    [2 ** -1022, -1022],
    [Number.MIN_VALUE, -1074],
    [Number.MAX_VALUE, 1023],
  ])("of %d is %d", (x, exponent) => expect(exponentOf(x)).toBe(exponent));
});
