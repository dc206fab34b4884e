import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { BlockDot } from "../../src/numerics/arithmetic.js";
import { blockSum } from "../../src/numerics/block-sum.js";
import { makeFloatRow } from "../../src/numerics/mac-chains.js";
import { exponentOf, numberTypes } from "../../src/numerics/number-type.js";
import { roundToOperand } from "../../src/numerics/rounding.js";
import { binades, StepSums } from "../../src/numerics/step-sums.js";

const dots: readonly BlockDot[] = [
  { block: 16, align: 24, result: "fp32-rz" },
  { block: 32, align: 13, result: "e8m13-rz" },
  { block: 32, align: 40, result: "fp32-rz" },
];
const types = [numberTypes.bf16, numberTypes.fp16, numberTypes["fp8-e4m3"], numberTypes["fp4-e2m1"], numberTypes.int8];

const value = fc
  .tuple(fc.integer({ min: -300, max: 300 }), fc.integer({ min: -24, max: 6 }))
  .map(([significand, exponent]) => significand * 2 ** exponent);

/** Sums side by side, more places than are summed. */
const width = 4;
/** Each used step after step, as an engine does. */
const stepSums = new Map(dots.map(dot => [dot, new StepSums(dot, width)]));

describe("a tensor core's step for many sums at a time", () => {
  it("law: is each sum's own step, in its place, and leaves others", () => {
    const position = fc.tuple(fc.oneof(value, fc.constant(0)), fc.array(value, { minLength: width, maxLength: width }));
    const drawn = fc.record({
      dot: fc.constantFrom(...dots),
      type: fc.constantFrom(...types),
      before: fc.array(fc.oneof(value, fc.constant(0)), { minLength: width, maxLength: width }),
      scales: fc.option(fc.array(fc.integer({ min: -80, max: 60 }), { minLength: width, maxLength: width })),
      start: fc.nat(2),
      count: fc.nat(2),
      positions: fc.array(position, { maxLength: 8 }),
    });
    fc.assert(
      fc.property(drawn, ({ dot, type, before, scales, start, count, positions }) => {
        // A position more before and after what is summed, which would be noticed.
        const other = Array.from({ length: width }, () => 8);
        const a = Float32Array.from([9, ...positions.map(([x]) => roundToOperand(x, type)), 9]);
        const rows = positions.flatMap(([, row]) => row.map(y => roundToOperand(y, type)));
        const x = Float32Array.from([...other, ...rows, ...other]);
        const [ofA, ofX] = [new Float64Array(a.length).fill(2 ** 60), new Float64Array(x.length).fill(2 ** 60)];
        binades(a, 1, positions.length, type, ofA, 1);
        binades(x, width, positions.length * width, type, ofX, width);
        const sums = makeFloatRow(width);
        sums.values.set(before);
        const was = [...sums.values];
        const end = Math.min(width, start + count);
        stepSums
          .get(dot)
          ?.step(
            sums,
            { values: a, binades: ofA, first: 1, count: positions.length },
            { values: x, binades: ofX, offset: width, stride: width },
            start,
            end,
            scales && Float64Array.from(scales, exponent => 2 ** exponent),
          );
        const golden = blockSum(dot, type, type);
        const expected = was.map((s, i) => {
          if (i < start || i >= end) return s;
          golden.start(s, scales?.[i - start] ?? 0);
          for (let j = 0; j < positions.length; j += 1)
            golden.product(a[1 + j] as number, x[(1 + j) * width + i] as number);
          return golden.end();
        });
        expect([...sums.values]).toEqual(expected);
      }),
      { numRuns: 400, seed: 21 },
    );
  });

  const stepOf = (
    dot: BlockDot,
    sum: number,
    factors: readonly (readonly [a: number, b: number])[],
    scale = 1,
  ): number => {
    const [a, x] = [0, 1].map(side => Float32Array.from(factors, pair => pair[side] as number)) as [
      Float32Array,
      Float32Array,
    ];
    const [ofA, ofX] = [new Float64Array(a.length), new Float64Array(a.length)];
    binades(a, 0, a.length, numberTypes.fp32, ofA, 0);
    binades(x, 0, a.length, numberTypes.fp32, ofX, 0);
    const sums = makeFloatRow(1);
    sums.values[0] = sum;
    const broadcast = { values: a, binades: ofA, first: 0, count: a.length };
    new StepSums(dot, 1).step(
      sums,
      broadcast,
      { values: x, binades: ofX, offset: 0, stride: 1 },
      0,
      1,
      Float64Array.of(scale),
    );
    return sums.values[0] as number;
  };

  it("leaves fp32's range as an infinity of its sign, keeps the largest value, and is never -0", () => {
    const [wide, narrow] = [
      { block: 4, align: 25, result: "fp32-rz" },
      { block: 4, align: 25, result: "e8m13-rz" },
    ] as const;
    const { largest } = numberTypes.fp32;
    for (const sign of [1, -1]) {
      const half = [sign * 2 ** 63, 2 ** 63] as const;
      expect(stepOf(wide, 0, [half, half, half, half])).toBe(sign * Infinity);
      expect(stepOf(wide, sign * largest, [])).toBe(sign * largest);
      // Cut to 13 fraction bits, toward zero.
      expect(stepOf(narrow, sign * (1 + 2 ** -13 + 2 ** -14), [])).toBe(sign * (1 + 2 ** -13));
      expect(stepOf(narrow, sign * (1 + 2 ** -23), [])).toBe(sign);
      // The last of fp32's binades is cut as any other: 2^127 and three quarters of its step.
      const threeQuarters = [
        [sign * 2 ** 52, 2 ** 51],
        [sign * 2 ** 51, 2 ** 51],
      ] as const;
      expect(stepOf(wide, sign * 2 ** 127, threeQuarters)).toBe(sign * 2 ** 127);
      // A subnormal sum has fp32's least exponent: 13 bits below it is 2^-139.
      const short = { ...wide, align: 13 };
      expect([2 ** -139, 2 ** -140].map(sum => stepOf(short, sign * sum, []))).toEqual([sign * 2 ** -139, 0]);
      // What is less than fp32's subnormals is +0, and what they hold is cut, not rounded.
      expect(Object.is(stepOf(wide, 0, [[sign, 1]], 2 ** -200), 0)).toBe(true);
      expect(stepOf(wide, 0, [[sign * 1.75, 1]], 2 ** -149)).toBe(sign * 2 ** -149);
    }
    expect(Object.is(stepOf(wide, -0, [[-0, 1]]), 0)).toBe(true);
  });

  it("gives values their binade, subnormals that of the type's least exponent, and 0 none", () => {
    const type = numberTypes["fp8-e4m3"];
    const values = Float32Array.of(5, 0, -(2 ** -9), 2 ** -6, -448, 3);
    const out = new Float64Array(6).fill(7);
    binades(values, 1, 4, type, out, 2);
    expect([...out]).toEqual([7, 7, 0, 2 ** -6, 2 ** -6, 2 ** exponentOf(448)]);
  });
});
