import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { exponentialOf } from "../../src/numerics/exponential.js";
import { formatNames, formats } from "../../src/numerics/format.js";
import { formatArithmetics } from "../../src/numerics/format-of.js";
import { exp2CoefficientBits, exponentFactor, processingElement } from "../../src/numerics/pe.js";
import { bitsOf, fromBits } from "../../src/numerics/rounding.js";

const fp32 = processingElement(formats.fp32);
const c1 = exponentFactor(1);

describe("exp", () => {
  it("takes c from scale * log2 e in float64", () => {
    expect(Math.LOG2E).toBe(6497320848556798 / 2 ** 52);
    expect(bitsOf(c1)).toBe(0x3fb8aa3b);
    expect(exp2CoefficientBits.map(fromBits)[0]).toBe(1);
    // The contract's (docs/numerics.md, "The exponential").
    const coefficients = ["3f800000", "3f31725d", "3e75edab", "3d648e73", "3c13bc2b", "3af4ba7d"];
    expect(exp2CoefficientBits.map(bits => bits.toString(16))).toEqual(coefficients);
  });
  it.each(formatNames)("of 0 is exactly 1 in %s", name => {
    const pe = processingElement(formats[name]);
    expect(pe.exp(0, c1)).toBe(1);
    expect(pe.numerator(0, c1)).toBe(1);
    expect(pe.correction(0, c1)).toBe(1);
  });
  it("has the contract's largest relative error in fp32: 3.9e-6 on [-87, 0], 1.8e-7 on [-1, 0]", () => {
    // Below -50 in base 2 the result is +0 by definition, so the range that has a relative error ends at -34.6.
    let wide = 0;
    let narrow = 0;
    for (let i = 0; i <= 200_000; i += 1) {
      const x = Math.fround((-34.6 * i) / 200_000);
      wide = Math.max(wide, Math.abs(fp32.exp(x, c1) / Math.exp(x) - 1));
      const y = Math.fround(-i / 200_000);
      narrow = Math.max(narrow, Math.abs(fp32.exp(y, c1) / Math.exp(y) - 1));
    }
    expect(wide).toBeLessThan(3.9e-6);
    expect(narrow).toBeLessThan(2e-7);
  });
  it.each(formatNames)("law: is E2 of t = RNE32(x * c) as the golden implementation has it, in %s", name => {
    const { exp } = processingElement(formats[name]);
    const golden = exponentialOf(formatArithmetics[name]);
    fc.assert(
      fc.property(
        fc.double({ min: -60, max: 50, noNaN: true }),
        fc.double({ min: 0.5, max: 2, noNaN: true }),
        (x, c) => {
          const [difference, factor] = [Math.fround(x), Math.fround(c)];
          expect(exp(difference, factor)).toBe(golden(Math.fround(difference * factor)));
        },
      ),
      { numRuns: 500 },
    );
    expect(exp(64, 1)).toBe(2 ** 64);
    expect(exp(fromBits(bitsOf(64) + 1), 1)).toBeNaN();
    const ends = [fromBits(bitsOf(-50) + 1), -50, 64, fromBits(bitsOf(64) + 1)];
    expect(ends.map(golden)).toEqual([0, 2 ** -50, 2 ** 64, Number.NaN]);
  });
  it("is +0 below t = -50 and not above", () => {
    expect(fp32.exp(-50, 1)).toBe(2 ** -50);
    expect(fp32.exp(fromBits(bitsOf(-50) + 1), 1)).toBe(0);
  });
  it("lets f round to 1 just below 0", () => {
    expect(fp32.exp(-(2 ** -30), 1)).toBeCloseTo(1, 6);
    expect(fp32.exp(-(2 ** -24), 1)).toBeCloseTo(1, 6);
  });
});

describe("a multiply-accumulate", () => {
  it("rounds an fp32 product before the sum: two roundings, not fused", () => {
    const a = 1 + 2 ** -23;
    // a * a = 1 + 2^-22 + 2^-46; fused with -1 the last bit would survive.
    expect(fp32.mac(-1, a, a)).toBe(2 ** -22);
  });
  it("is exact before the one rounding of the sum for 16-bit operands", () => {
    const pe = processingElement(formats.bf16);
    expect(pe.mac(-1, 1 + 2 ** -7, 1 + 2 ** -7)).toBe(2 ** -6 + 2 ** -14);
  });
  it("breaks ties to even in the accumulator's precision", () => {
    const strict = processingElement(formats["bf16-strict"]);
    expect(strict.mac(256, 1, 1)).toBe(256);
    expect(strict.mac(258, 1, 1)).toBe(260);
    expect(strict.mac(256, 1, 1.0078125)).toBe(258);
    const half = processingElement(formats["fp16-strict"]);
    expect(half.mac(2048, 1, 1)).toBe(2048);
    expect(half.mac(2050, 1, 1)).toBe(2052);
    expect(half.mac(65504, 16, 1)).toBe(Infinity);
  });
});

describe("other operations", () => {
  const strict = processingElement(formats["bf16-strict"]);
  it("round once to the accumulator, and give +0 for -0 and what is below 2^-100", () => {
    expect([strict.add(256, 3), strict.subtract(256, 1), strict.mul(129, 129)]).toEqual([260, 255, 16640]);
    expect([fp32.mul(2 ** -50, 2 ** -50), fp32.mul(2 ** -50, -(2 ** -51)), fp32.div(2 ** -51, 2 ** 50)]).toEqual([
      2 ** -100,
      0,
      0,
    ]);
    expect(exponentFactor(0.1)).toBe(Math.fround((0.1 * 6497320848556798) / 2 ** 52));
  });
});

describe("division", () => {
  it("rounds once: q is the fp32 nearest to the exact quotient", () => {
    const value = fc.integer({ min: 0x20000000, max: 0x5effffff }).map(fromBits);
    fc.assert(
      fc.property(value, value, (a, b) => {
        const q = fp32.div(a, b);
        fc.pre(q !== 0);
        // a - q * b in exact integers, against the neighbours of q.
        const error = (x: number): bigint => {
          const d = exact(a) * 2n ** 300n - exact(x) * exact(b);
          return d < 0n ? -d : d;
        };
        expect(error(q) <= error(fromBits(bitsOf(q) + 1))).toBe(true);
        expect(error(q) <= error(fromBits(bitsOf(q) - 1))).toBe(true);
      }),
    );
  });
});

/** x * 2^300 as an integer. */
function exact(x: number): bigint {
  const u = bitsOf(x);
  return BigInt((u & 0x7fffff) | 0x800000) << BigInt((u >>> 23) - 150 + 300);
}
