import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { processorSeconds } from "../../bench/processor-time.js";
import { compileExpression, largestDivisor, namesIn, parseExpression } from "../../src/spec/expression.js";

const where = (): string => "here";
const value = (text: string, names: Readonly<Record<string, number>> = {}): number => {
  const keys = Object.keys(names);
  return compileExpression(parseExpression(text, where), name => keys.indexOf(name))(
    Float64Array.from(Object.values(names)),
  );
};

describe("formulas", () => {
  it.each([
    ["1 + 2 * 3", 7],
    ["(1 + 2) * 3", 9],
    ["8 / 2 / 2", 2],
    ["10 - 2 - 3", 5],
    ["-2 + 5", 3],
    ["2 ^ 10", 1024],
    ["16 * MiB", 2 ** 24],
    ["940e6", 940e6],
    ["ceil(7 / 2) + floor(7 / 2)", 7],
    ["max(1, 5, 3) - min(4, 2)", 3],
    ["if(3 > 2, 10, 20)", 10],
    ["(2 == 2) * (2 <= 1)", 0],
    ["largestDivisor(257, 128)", 1],
  ])("%s is %d", (text, want) => expect(value(text)).toBe(want));

  it("reads names, dots included", () => {
    expect(value("buffer.bytes / (2 * E)", { "buffer.bytes": 256, E: 64 })).toBe(2);
    expect(namesIn(parseExpression("max(QK + LM, RD) + QK * 2 * KiB", where))).toEqual(["QK", "LM", "RD"]);
    // What every object has is no constant.
    expect(namesIn(parseExpression("toString + KiB", where))).toEqual(["toString"]);
    expect(value("toString + 1", { toString: 2 })).toBe(3);
  });

  it.each([
    ["1 +", /got the end at character 4/],
    ["2 * (3", /expected '\)'/],
    ["sqrt(2)", /expected one of the functions ceil/],
    ["toString(2)", /expected one of the functions ceil/],
    ["ceil(1, 2)", /ceil with 1 arguments, not 2/],
    ["3 ; 4", /got '; 4' in the formula/],
    ["1 2", /expected an operator or the end/],
    [`${"(".repeat(200)}1${")".repeat(200)}`, /expected at most 100 parentheses and signs in one another/],
    [`${"-".repeat(200)}1`, /expected at most 100 parentheses/],
    [Array(900).fill("1").join("+"), /got a formula of more than 1000 numbers, names and signs/],
    ["1".repeat(5000), /got a formula of 5000 characters; expected at most 4000/],
    [`${"(".repeat(20_000)}1`, /got a formula of 20001 characters/],
  ])("%.60s is refused with its place", (text, message) => {
    expect(() => parseExpression(text, where)).toThrow(message);
    expect(() => parseExpression(text, where)).toThrow(/^here: /);
  });
});

it("the largest divisor has a budget", () => {
  const began = process.cpuUsage();
  expect(() => value("largestDivisor(1e300, 1e149)")).toThrow(
    /^here: got largestDivisor of 1e\+300; expected of a number of at most 2\^48$/,
  );
  // A prime, and the square of one: the whole root is tried.
  expect(value("largestDivisor(281474976710597, 281474976710596)")).toBe(1);
  expect(largestDivisor(16777213 ** 2, 2 ** 47)).toBe(16777213);
  expect([largestDivisor(10.5, 3), largestDivisor(10, 0.5), largestDivisor(10, Number.NaN)]).toEqual([0, 0, 0]);
  expect(processorSeconds(began)).toBeLessThan(2);
});

it("the largest divisor is a divisor, fits, and none between fits", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5000 }), fc.integer({ min: 0, max: 6000 }), (n, limit) => {
      let best = 0;
      for (let d = 1; d <= Math.min(n, limit); d++) if (n % d === 0) best = d;
      expect(largestDivisor(n, limit)).toBe(best);
    }),
  );
});
