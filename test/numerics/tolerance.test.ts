import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type FormatName, formatNames, formats } from "../../src/numerics/format.js";
import { numberTypes } from "../../src/numerics/number-type.js";
import { exponentFactor, processingElement } from "../../src/numerics/pe.js";
import { bitsOf, fromBits, rounder } from "../../src/numerics/rounding.js";
import {
  accumulatorUnit,
  attentionErrorBound,
  exponentialError,
  gamma,
  operandUnit,
  orderErrorBound,
  type RowData,
  ulpDistance,
} from "../../src/numerics/tolerance.js";

describe("ulpDistance", () => {
  it("counts fp32 values between two, across zero and powers of two", () => {
    expect(ulpDistance(1, 1)).toBe(0);
    for (const below of [fromBits(bitsOf(1) - 1)])
      expect([ulpDistance(1, below), ulpDistance(below, 1), ulpDistance(-1, -below)]).toEqual([1, 1, 1]);
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

/**
 * What float64 leaves of a bound: its exponentials are good to 2^-52 and less than 2^-18 is left of them once 1 is taken off,
 * which is 2^-34 of it.
 */
const leftByFloat64 = 2 ** -32;
const isClose = (given: number, expected: number): void =>
  expect(Math.abs(given / expected - 1), `${given}, expected ${expected}`).toBeLessThan(leftByFloat64);

/** A row, its keys as [score, magnitude, value], and its bounds. */
const row = (
  name: FormatName,
  scale: number,
  m0: number,
  headDim: number,
  keys: readonly (readonly [score: number, magnitude: number, value: number])[],
): RowData => ({
  format: formats[name],
  scale,
  m0,
  headDim,
  scores: keys.map(([score]) => score),
  magnitudes: keys.map(([, magnitude]) => magnitude),
  values: keys.map(([, , value]) => value),
});

describe("the bounds' formulas (docs/numerics.md), worked out to 50 digits by another program", () => {
  it("units and the exponential's bound", () => {
    isClose(accumulatorUnit(numberTypes.fp32), 2 ** -24);
    isClose(accumulatorUnit(numberTypes.bf16), 0.00390630983747542);
    isClose(accumulatorUnit(numberTypes.fp16), 4.88340883748606e-4);
    // Ten roundings of 1 / 40 each: 0.25 / 0.75.
    isClose(gamma(10, 1 / 40), 1 / 3);
    expect(gamma(4, 1 / 4)).toBe(Number.POSITIVE_INFINITY);
    const expected = {
      fp32: [9.5554839050162e-7, 1.0381779867143e-6, 5.0870365650195e-6],
      bf16: [0.049181358575885, 0.049181441205481, 0.049185490064059],
      fp16: [0.0058949037869685, 0.0058949864165647, 0.005899035275143],
    } as const;
    for (const [name, errors] of Object.entries(expected))
      for (const [i, t] of [0, -1, -50].entries())
        isClose(exponentialError(name as keyof typeof expected, t), errors[i] ?? Number.NaN);
  });

  const fp32 = [
    [3, 5, 1],
    [-1.5, 4, -2],
    [0.25, 3.5, 0.5],
    [2.5, 6, 0.75],
    [1, 2, -0.25],
  ] as const;
  const bf16 = [
    [1, 1.5, 1],
    [-0.5, 2, 0.5],
    [0.25, 1, -3],
  ] as const;
  const fp16 = [
    [1, 2, 0.5],
    [2, 2, -0.5],
    [-3, 3, 0.25],
    [0.5, 1, 4],
    [0.25, 1, -1],
  ] as const;
  const nothing = [
    [1, 2, 0],
    [0.5, 3, 0],
  ] as const;
  it.each([
    ["three tiles of normal scores", row("fp32", 0.25, 2, 8, fp32), 3.2399551444665e-5, 5.0067961296989e-6],
    ["sums of 8 bits", row("bf16-strict", 0.125, 2, 2, bf16), 0.71941272136832, 0.42500694434557],
    [
      "sums of 11 bits, with gradual underflow",
      row("fp16-strict", 0.5, 4, 3, fp16),
      0.064978173673441,
      0.082855949416567,
    ],
    [
      "a weight that is flushed",
      row("fp16", 1, 1, 4, [
        [2, 2, 0],
        [-2000, 2001, 8],
      ]),
      4.777085418596e-7,
      1.4305126683222e-5,
    ],
    [
      "a correction that is flushed",
      row("bf16", 0.5, 8, 4, [
        [0, 2, 0],
        [-3000, 3, 64],
      ]),
      2.8536301731862e-13,
      1.9073513613005e-4,
    ],
    ["values of 0", row("fp32", 0.5, 3, 4, nothing), 5.2237284117905e-30, 1.7354947438032e-29],
    ["values of 0 and subnormals", row("fp16-strict", 0.5, 3, 4, nothing), 2.0304455050664e-7, 6.5799489005362e-7],
  ])("%s", (_, data, attention, order) => {
    isClose(attentionErrorBound(data), attention);
    isClose(orderErrorBound(data), order);
  });

  it("say nothing where roundings, or what is lost, may be as large as the denominator", () => {
    // 2^8 roundings of 2^-8 each: of a score's sum, of a tile's.
    const one = [[0, 0, 1]] as const;
    expect(attentionErrorBound(row("bf16-strict", 1, 1, 256, [[0, 1, 1]]))).toBe(Number.POSITIVE_INFINITY);
    expect(orderErrorBound(row("bf16-strict", 1, 256, 1, one))).toBe(Number.POSITIVE_INFINITY);
    expect(orderErrorBound(row("bf16-strict", 1, 100, 1, one))).toBeLessThan(10);
    // gamma_128 is all but 1; with gamma_124 and the rest of a weight there is more error than weight.
    expect(orderErrorBound(row("bf16-strict", 1, 124, 1, one))).toBe(Number.POSITIVE_INFINITY);
    expect(attentionErrorBound(row("bf16-strict", 1, 120, 1, one))).toBe(Number.POSITIVE_INFINITY);
  });
});
