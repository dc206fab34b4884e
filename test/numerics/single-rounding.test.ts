import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fusedMultiplyAdd32, quotient32 } from "../../src/numerics/single-rounding.js";
import { exact, nearestFp32, product, quotient } from "./exact.js";

const float = fc
  .tuple(fc.integer({ min: -(2 ** 24), max: 2 ** 24 }), fc.integer({ min: -60, max: 40 }))
  .map(([significand, exponent]) => Math.fround(significand * 2 ** exponent));

describe("fusedMultiplyAdd32", () => {
  it("rounds a product and a sum once", () => {
    // In float64 the sum rounds to the middle of two fp32 values, which the tie then takes the wrong way.
    const [a, c] = [1 + 2 ** -23, 2 ** -60];
    const b = 1 + 2 ** -22 - 2 ** -23;
    expect(fusedMultiplyAdd32(a, b, c)).toBe(nearestFp32(product(a, b) + exact(c)));
    expect(fusedMultiplyAdd32(1 + 2 ** -12, 1 + 2 ** -12, -(2 ** -80))).toBe(1 + 2 ** -11);
    expect(fusedMultiplyAdd32(1 + 2 ** -12, 1 + 2 ** -12, 2 ** -80)).toBe(1 + 2 ** -11 + 2 ** -23);
  });

  it.each([1, 2 ** 30, 2 ** -30])("takes what float64 loses beside a tie to its side, times %s", scale => {
    // 24929 * 673 = 2^24 + 1, a tie; with 2^-28 the float64 sum is the odd one after it.
    for (const [c, expected] of [
      [2 ** -40, 2 ** 24 + 2],
      [-(2 ** -40), 2 ** 24],
      [2 ** -28 - 2 ** -40, 2 ** 24 + 2],
      [-(2 ** -28) + 2 ** -40, 2 ** 24],
      [0, 2 ** 24],
    ] as const) {
      for (const sign of [1, -1])
        expect(fusedMultiplyAdd32(sign * 24929 * scale, 673, sign * c * scale)).toBe(sign * expected * scale);
    }
    expect(fusedMultiplyAdd32(2 ** 100, 2 ** 100, 1)).toBe(Infinity);
    expect(fusedMultiplyAdd32(1, -1, 1)).toBe(0);
  });

  it("law: is the fp32 value nearest to the exact a * b + c", () => {
    fc.assert(
      fc.property(float, float, float, (a, b, c) => {
        expect(fusedMultiplyAdd32(a, b, c) + 0).toBe(nearestFp32(product(a, b) + exact(c)) + 0);
      }),
      { numRuns: 2000, seed: 15 },
    );
  });

  it("law: also beside ties", () => {
    const near = fc.tuple(float, float, fc.integer({ min: -90, max: -20 }), fc.boolean());
    fc.assert(
      fc.property(near, ([a, b, exponent, negative]) => {
        const half = Math.abs(a * b) * 2 ** exponent;
        const c = Math.fround(negative ? -half : half);
        expect(fusedMultiplyAdd32(a, b, c) + 0).toBe(nearestFp32(product(a, b) + exact(c)) + 0);
      }),
      { numRuns: 2000, seed: 15 },
    );
  });
});

describe("quotient32", () => {
  it("law: is the fp32 value nearest to x / s for any float64 x", () => {
    const x = fc.oneof(float, fc.double({ min: -1e15, max: 1e15, noNaN: true }));
    fc.assert(
      fc.property(x, float, (x, factor) => {
        const s = Math.abs(factor) || 1;
        // Beside ties of the quotient, too.
        const tie = Math.fround(x) * (1 + 2 ** -24) * s;
        for (const y of [x, tie, tie * (1 + 2 ** -52), tie * (1 - 2 ** -53)]) {
          expect(quotient32(y, s) + 0).toBe(nearestFp32(quotient(y, s)) + 0);
        }
      }),
      { numRuns: 2000, seed: 15 },
    );
  });
});
