import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatNames, formats } from "../../src/numerics/format.js";
import { numberTypes } from "../../src/numerics/number-type.js";
import { exponentFactor, processingElement } from "../../src/numerics/pe.js";
import { bitsOf, fromBits, rounder } from "../../src/numerics/rounding.js";
import { accumulatorUnit, exponentialError, gamma, operandUnit, ulpDistance } from "../../src/numerics/tolerance.js";

describe("ulpDistance", () => {
  it("counts fp32 values between two, across zero and powers of two", () => {
    expect(ulpDistance(1, 1)).toBe(0);
    expect(ulpDistance(1, fromBits(bitsOf(1) - 1))).toBe(1);
    expect(ulpDistance(0, -0)).toBe(0);
    expect(ulpDistance(2 ** -149, -(2 ** -149))).toBe(2);
  });
});

describe("units of roundoff", () => {
  it("bound the relative error of a rounding, and are reached within a hair", () => {
    for (const type of ["fp32", "bf16", "fp16"] as const) {
      let worst = 0;
      const round = rounder(type);
      fc.assert(
        fc.property(fc.double({ min: 1, max: 2, noNaN: true }), x => {
          expect(Math.abs(round(Math.fround(x)) / x - 1)).toBeLessThanOrEqual(accumulatorUnit(numberTypes[type]));
        }),
      );
      for (const x of [1 + operandUnit(numberTypes[type])])
        worst = Math.max(worst, Math.abs(round(Math.fround(x)) / x - 1));
      expect(worst).toBeGreaterThan(0.99 * operandUnit(numberTypes[type]));
    }
  });
  it("gamma is the sum of n roundings to first order and Infinity where it says nothing", () => {
    expect(gamma(10, 2 ** -24)).toBeCloseTo(10 * 2 ** -24, 10);
    expect(gamma(256, 2 ** -8)).toBe(Number.POSITIVE_INFINITY);
  });
});

describe.each(formatNames)("the bound on the exponential in %s", name => {
  it("holds, and is no more than 30 times the largest error seen", () => {
    const { accumulator } = formats[name];
    const pe = processingElement(formats[name]);
    const c = exponentFactor(1);
    let share = 0;
    for (let i = 1; i <= 20_000; i += 1) {
      const x = pe.add((-34 * i) / 20_000, 0);
      const error = Math.abs(pe.exp(x, c) / Math.exp(x) - 1);
      const bound = exponentialError(accumulator, x * Math.LOG2E);
      expect(error).toBeLessThanOrEqual(bound);
      share = Math.max(share, error / bound);
    }
    expect(share).toBeGreaterThan(1 / 30);
  });
});
