import { f16round } from "@petamoriken/float16";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { numberType, numberTypes } from "../../src/numerics/number-type.js";
import {
  accumulatorRounder,
  binadeFp32,
  bitsOf,
  flushCorrection,
  flushTiny,
  fromBits,
  isSaturated,
  lastUnsaturated,
  operandFromFloat64,
  operandRounder,
  roundBf16,
  roundBf16Bits,
  roundFloat64,
  roundFp16,
  roundToType,
  typeRounder,
} from "../../src/numerics/rounding.js";

/** Nearest of a sorted list of values by exact comparison, ties to the one whose index is even: a slow oracle. */
const bf16Values = Array.from({ length: 0x7f80 }, (_, i) => fromBits(i << 16));
function nearestBf16(x: number): number {
  const magnitude = Math.abs(x);
  let low = 0;
  let high = bf16Values.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((bf16Values[middle] as number) <= magnitude) low = middle;
    else high = middle;
  }
  const [a, b] = [bf16Values[low] as number, bf16Values[high] as number];
  const index = magnitude - a < b - magnitude ? low : magnitude - a > b - magnitude ? high : (low + 1) & ~1;
  return Math.sign(x) * (bf16Values[index] as number);
}

const finiteFp32 = fc
  .integer({ min: 0, max: 0xffffffff })
  .map(fromBits)
  .filter(x => Number.isFinite(x));

/** [fp32 bits, bf16 bits of the same]: the classes of bf16 rounding. */
const bf16Cases: Readonly<Record<string, readonly (readonly [number, number])[]>> = {
  common: [
    [0x3f800000, 0x3f800000],
    [0x3f800001, 0x3f800000],
    [0x40490fdb, 0x40490000],
  ],
  ties: [
    [0x3f808000, 0x3f800000],
    [0x3f818000, 0x3f820000],
    [0xbf808000, 0xbf800000],
    [0xbf818000, 0xbf820000],
    [0x3f808001, 0x3f810000],
    [0x3f807fff, 0x3f800000],
  ],
  "carry into the exponent": [
    [0x3fffffff, 0x40000000],
    [0x3fff8000, 0x40000000],
  ],
  edges: [
    [0x00000000, 0x00000000],
    [0x80000000, 0x80000000],
    [0x7f7f7fff, 0x7f7f0000],
    [0x7f7f8000, 0x7f800000],
  ],
};

describe("roundBf16", () => {
  for (const [group, cases] of Object.entries(bf16Cases)) {
    it.each(cases)(`${group}: %i -> %i`, (from, to) => expect(bitsOf(roundBf16(fromBits(from)))).toBe(to));
  }
  it("gives the nearest of all bf16 values, ties to even", () => {
    fc.assert(
      fc.property(finiteFp32, x => {
        fc.pre(Math.abs(x) < 2 ** 127);
        expect(roundBf16(x) + 0).toBe(nearestBf16(x) + 0);
      }),
    );
  });
});

describe("roundFp16", () => {
  it("equals @petamoriken/float16 on every fp32 exponent and tie", () => {
    for (let exponent = 0; exponent < 255; exponent += 1) {
      for (const significand of [
        0, 1, 0xfff, 0x1000, 0x1001, 0x2000, 0x2fff, 0x3000, 0x3001, 0x400000, 0x7fefff, 0x7ff000, 0x7fffff,
      ]) {
        for (const sign of [0, 0x80000000]) {
          const x = fromBits((sign | (exponent << 23) | significand) >>> 0);
          expect(Object.is(roundFp16(x), f16round(x)), `${x}`).toBe(true);
        }
      }
    }
  });
  it("equals @petamoriken/float16 on random bits and on random multiples of half a subnormal step", () => {
    fc.assert(
      fc.property(finiteFp32, x => {
        expect(roundFp16(x)).toBe(f16round(x));
      }),
    );
    fc.assert(
      fc.property(fc.integer({ min: -4096, max: 4096 }), n => {
        expect(roundFp16(n * 2 ** -25)).toBe(f16round(n * 2 ** -25));
      }),
    );
  });
});

describe("roundFloat64", () => {
  it("rounds once where a way through fp32 would round twice", () => {
    // Just above the tie between two bf16 values, by less than fp32 can hold.
    const x = 1 + 2 ** -8 + 2 ** -40;
    expect(roundFloat64(x, "bf16")).toBe(1 + 2 ** -7);
    expect(roundBf16(Math.fround(x))).toBe(1);
    expect(roundFloat64(1 + 2 ** -11 + 2 ** -40, "fp16")).toBe(1 + 2 ** -10);
    expect(roundFp16(Math.fround(1 + 2 ** -11 + 2 ** -40))).toBe(1);
  });
  it("equals @petamoriken/float16 on any double", () => {
    fc.assert(
      fc.property(fc.double(), x => {
        expect(roundFloat64(x, "fp16")).toBe(f16round(x));
      }),
    );
    fc.assert(
      fc.property(fc.double({ min: -1e-4, max: 1e-4 }), x => {
        expect(roundFloat64(x, "fp16")).toBe(f16round(x));
      }),
    );
  });
  it("equals the fp32 roundings on fp32 values", () => {
    fc.assert(
      fc.property(finiteFp32, x => {
        fc.pre(Math.abs(x) > 2 ** -100 || x === 0);
        expect(roundFloat64(x, "bf16")).toBe(roundBf16(x));
        expect(roundFloat64(x, "fp16")).toBe(roundFp16(x));
        expect(roundFloat64(x, "fp32")).toBe(x);
      }),
    );
  });
  it("keeps what is not finite", () => {
    for (const type of ["bf16", "fp16", "fp32"] as const) {
      expect(roundFloat64(Number.NaN, type)).toBeNaN();
      expect(roundFloat64(-Infinity, type)).toBe(-Infinity);
      expect(roundFloat64(1e300, type)).toBe(Infinity);
    }
  });
});

describe("the contract's roundings", () => {
  it("rO flushes below T, and never gives -0", () => {
    const cases = [
      ["bf16", 2 ** -50],
      ["fp16", 2 ** -24],
      ["fp32", 2 ** -30],
    ] as const;
    for (const [type, smallest] of cases) {
      const round = operandRounder(type);
      expect([round(smallest), round(-smallest)]).toEqual([smallest, -smallest]);
      expect(Object.is(round(-smallest / 4), 0)).toBe(true);
      expect(Object.is(round(-0), 0)).toBe(true);
      expect(Object.is(operandFromFloat64(-smallest / 4, type), 0)).toBe(true);
      expect(operandFromFloat64(-smallest, type)).toBe(-smallest);
    }
    // Rounded first, compared with T after.
    expect(operandRounder("bf16")(fromBits(bitsOf(2 ** -50) - 1))).toBe(2 ** -50);
    expect(operandRounder("fp16")(2 ** -25)).toBe(0);
    expect(operandRounder("fp16")(1.5 * 2 ** -25)).toBe(2 ** -24);
  });
  it("rA rounds twice for 16-bit accumulators, and never gives -0", () => {
    const x = 1 + 2 ** -8 + 2 ** -40;
    expect(accumulatorRounder("bf16")(x)).toBe(1);
    expect(accumulatorRounder("fp16")(1 + 2 ** -11 + 2 ** -40)).toBe(1);
    expect(Object.is(accumulatorRounder("fp16")(-(2 ** -30)), 0)).toBe(true);
    for (const type of ["fp32", "bf16", "fp16"] as const) expect(Object.is(accumulatorRounder(type)(-0), 0)).toBe(true);
  });
  it("z and rP flush at 2^-100 and 2^-50", () => {
    expect(flushTiny(2 ** -100)).toBe(2 ** -100);
    expect(flushTiny(-(2 ** -100))).toBe(-(2 ** -100));
    expect(Object.is(flushTiny(-(2 ** -101)), 0)).toBe(true);
    expect(Object.is(flushTiny(-0), 0)).toBe(true);
    expect(flushCorrection(2 ** -50)).toBe(2 ** -50);
    expect(flushCorrection(2 ** -51)).toBe(0);
  });
});

describe("what is no number of a type", () => {
  it.each([
    ["the largest infinity", 0x7f800000, 0x7f800000],
    ["the other", 0xff800000, 0xff800000],
    ["the least NaN", 0x7f800001, 0x7fc00000],
    ["the NaN of the most ones, which would carry into the sign", 0x7fffffff, 0x7fc00000],
    ["a negative NaN", 0xffffffff, 0x7fc00000],
    ["the largest finite value, which rounds to infinity", 0x7f7fffff, 0x7f800000],
    ["bf16's largest value", 0x7f7f0000, 0x7f7f0000],
  ])("bf16: %s", (_, from, to) => expect(roundBf16Bits(from) >>> 0).toBe(to));

  it.each([
    [Number.NaN, 0x7fc00000],
    [Infinity, 0x7f800000],
    [-Infinity, 0xff800000],
    [65520, 0x7f800000],
    [-65520, 0xff800000],
    [Math.fround(65519.99), bitsOf(65504)],
  ])("fp16: %s", (x, to) => expect(bitsOf(roundFp16(x))).toBe(to));
});

it("law: the binade of a value is the power of two below it, and 0 below the normal ones", () => {
  for (let exponent = -126; exponent <= 127; exponent += 1) {
    const power = 2 ** exponent;
    for (const x of [power, -power, Math.fround(power * 1.5), fromBits(bitsOf(power) + 0x7fffff)]) {
      // What was last seen as bits is of no account.
      bitsOf(0);
      expect(binadeFp32(x)).toBe(power);
    }
  }
  for (const x of [0, 2 ** -149, fromBits(0x7fffff)]) expect(binadeFp32(x)).toBe(0);
});

/** One that ships with no entry, narrow and without saturation. */
const fp9 = numberType("fp9-e4m4", { significandBits: 5, leastExponent: -6, largest: 248, storageBits: 9 });

describe.each([...Object.values(numberTypes), fp9])("the rounder of fp32 values to $name", type => {
  const round = typeRounder(type);
  const expectSame = (x: number): void => {
    const wanted = type.significandBits === 24 ? x : roundToType(x, type) + 0;
    if (!Object.is(round(x), wanted)) expect.fail(`${x}: ${round(x)}, not ${wanted}`);
  };

  it("law: is the rounding of any value, +0 for -0", () => {
    fc.assert(fc.property(finiteFp32, expectSame), { numRuns: 2000 });
    expect(Object.is(round(-0), type.significandBits === 24 ? -0 : 0)).toBe(true);
  });

  it.skipIf(type.significandBits === 24)(
    "law: is it on values of the type, between two and beside what is between",
    () => {
      const least = 2 ** (type.integer ? 0 : type.leastExponent - type.significandBits + 1);
      const top = type.integer ? 130 : 2 ** (type.significandBits + 2);
      for (let steps = 0; steps <= top; steps += 0.5) {
        for (const scale of type.integer ? [1] : [1, 2, 64]) {
          const x = Math.fround(least * scale * steps);
          if (x === 0 || x < 2 ** -126) continue;
          for (const near of [x, fromBits(bitsOf(x) + 1), fromBits(bitsOf(x) - 1)]) {
            expectSame(near);
            expectSame(-near);
          }
        }
      }
      expectSame(Math.fround(type.largest));
      expect(round(0)).toBe(0);
    },
  );

  it("law: knows the last value that it does not saturate", () => {
    const last = lastUnsaturated(type);
    expect(isSaturated(last, type)).toBe(false);
    expect(isSaturated(fromBits(bitsOf(last) + 1), type)).toBe(type.saturates);
    if (!type.saturates) expect(last).toBe(numberTypes.fp32.largest);
  });
});
