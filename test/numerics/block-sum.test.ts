import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { BlockDot } from "../../src/numerics/arithmetic.js";
import { blockSum } from "../../src/numerics/block-sum.js";
import { type FloatSpec, numberTypes } from "../../src/numerics/number-type.js";
import { roundToOperand } from "../../src/numerics/rounding.js";
import { exact } from "./exact.js";

type Pair = readonly [a: number, b: number];

const exponentIn = (x: number, type: FloatSpec): number =>
  Math.max(Math.floor(Math.log2(Math.abs(x))), type.leastExponent);
/** The place of 2^e in `exact`. */
const place = (e: number): bigint => 1n << BigInt(1200 + e);
const toward0 = (x: bigint, unit: bigint): bigint => (x / unit) * unit;

/** The step in integers of any length, from the contract's words. */
function oracle(dot: BlockDot, type: FloatSpec, sum: number, scale: number, pairs: readonly Pair[]): bigint {
  const terms = pairs
    .filter(([a, b]) => a * b !== 0)
    .map(([a, b]) => ({ value: exact(a * b * 2 ** scale), e: exponentIn(a, type) + exponentIn(b, type) + scale }));
  if (sum !== 0) terms.push({ value: exact(sum), e: exponentIn(sum, numberTypes.fp32) });
  if (terms.length === 0) return 0n;
  const m = Math.max(...terms.map(({ e }) => e));
  const total = terms.reduce((s, { value }) => s + toward0(value, place(m - dot.align)), 0n);
  const magnitude = total < 0n ? -total : total;
  if (magnitude === 0n) return 0n;
  const leading = Math.max(magnitude.toString(2).length - 1 - 1200, -126);
  return toward0(total, place(leading - (dot.result === "fp32-rz" ? 23 : 13)));
}

const dots: readonly BlockDot[] = [
  { block: 8, align: 23, result: "fp32-rz" },
  { block: 16, align: 24, result: "fp32-rz" },
  { block: 32, align: 25, result: "fp32-rz" },
  { block: 32, align: 13, result: "e8m13-rz" },
  { block: 32, align: 40, result: "fp32-rz" },
];

describe("blockSum", () => {
  it("cuts what lies below the largest exponent, and keeps what cancels above it", () => {
    const sum = blockSum({ block: 4, align: 13, result: "e8m13-rz" }, numberTypes.bf16, numberTypes.bf16);
    sum.start(2 ** 14, 0);
    sum.product(-(2 ** 7), 2 ** 7);
    sum.product(1, 1);
    sum.product(1, -0.75);
    // 1 is cut to 0 at 2^(14 - 13) = 2, and so is -0.75.
    expect(sum.end()).toBe(0);
    sum.start(2 ** 14, 0);
    sum.product(-(2 ** 7), 2 ** 7);
    sum.product(1, 3);
    expect(sum.end()).toBe(2);
  });

  it("leaves fp32's range as an infinity of its sign, and not at the largest value", () => {
    const sum = blockSum({ block: 4, align: 25, result: "fp32-rz" }, numberTypes.fp32, numberTypes.fp32);
    for (const sign of [1, -1]) {
      sum.start(0, 0);
      for (let i = 0; i < 4; i += 1) sum.product(sign * 2 ** 63, 2 ** 63);
      expect(sum.end()).toBe(sign * Infinity);
      sum.start(sign * numberTypes.fp32.largest, 0);
      expect(sum.end()).toBe(sign * numberTypes.fp32.largest);
    }
    expect(Object.is(sum.end(), -numberTypes.fp32.largest)).toBe(true);
    sum.start(-0, 0);
    expect(Object.is(sum.end(), 0)).toBe(true);
    // Below the least subnormal: cut to +0.
    sum.start(0, -200);
    sum.product(-1, 1);
    expect(Object.is(sum.end(), 0)).toBe(true);
  });

  it("law: is the exact sum of cut terms, cut", () => {
    const types = fc.constantFrom(
      numberTypes.bf16,
      numberTypes.fp16,
      numberTypes["fp8-e4m3"],
      numberTypes["fp8-e5m2"],
      numberTypes["fp4-e2m1"],
      numberTypes.int8,
    );
    const value = fc
      .tuple(fc.integer({ min: -300, max: 300 }), fc.integer({ min: -24, max: 6 }))
      .map(([significand, exponent]) => significand * 2 ** exponent);
    const steps = fc.array(fc.tuple(value, value), { minLength: 1, maxLength: 32 });
    fc.assert(
      fc.property(
        fc.constantFrom(...dots),
        types,
        value,
        fc.integer({ min: -200, max: 60 }),
        steps,
        (dot, type, s, x, drawn) => {
          const pairs = drawn.map(([a, b]): Pair => [roundToOperand(a, type), roundToOperand(b, type)]);
          // Pairs that cancel, and what is left of them.
          const all: readonly Pair[] = [...pairs, ...pairs.slice(1).map(([a, b]): Pair => [-a, b])];
          for (const terms of [pairs, all]) {
            for (const scale of [0, x]) {
              const sum = blockSum(dot, type, type);
              sum.start(Math.fround(s), scale);
              for (const [a, b] of terms) sum.product(a, b);
              const expected = oracle(dot, type, Math.fround(s), scale, terms);
              expect(exact(sum.end())).toBe(expected);
            }
          }
        },
      ),
      { numRuns: 500, seed: 15 },
    );
  });
});
