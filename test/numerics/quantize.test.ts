import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { numberTypes } from "../../src/numerics/number-type.js";
import { type GivenValues, largestMagnitude, quantize } from "../../src/numerics/quantize.js";
import { isSaturated, roundToOperand } from "../../src/numerics/rounding.js";
import { quotient32 } from "../../src/numerics/single-rounding.js";

/** Values near the ties of narrow types, tiny and large ones, zeros of both signs. */
const value = fc.oneof(
  fc
    .tuple(fc.integer({ min: -4096, max: 4096 }), fc.integer({ min: -30, max: 6 }))
    .map(([significand, exponent]) => significand * 2 ** exponent),
  fc.double({ min: -600, max: 600, noNaN: true }),
  fc.constantFrom(0, -0, 2 ** -60, -(2 ** -60), 448, -464, 65000),
);
const power = fc.integer({ min: -20, max: 20 }).map(exponent => 2 ** exponent);
const scale = fc.oneof(
  fc.constant(0),
  power,
  fc.double({ min: 0.01, max: 9, noNaN: true }).map(x => Math.fround(x)),
);

describe.each(Object.values(numberTypes))("many values at a time to $name", type => {
  it("law: are what each is alone: divided, rounded once, counted where it saturates", () =>
    fc.assert(
      fc.property(
        fc.array(fc.tuple(value, scale, power), { minLength: 1, maxLength: 12 }),
        fc.record({ perValue: fc.boolean(), exact: fc.boolean(), wide: fc.boolean(), before: fc.nat(3) }),
        (drawn, { perValue, exact, wide, before }) => {
          const given = [...Array.from({ length: before }, () => 7), ...drawn.map(([x]) => x), 9];
          const values = wide ? Float64Array.from(given) : Float32Array.from(given);
          // Exact quotients are those by powers of two.
          const scales = Float64Array.from(drawn, ([, any, two]) => (exact ? two : any));
          const out = new Float32Array(given.length).fill(-5);
          const end = before + drawn.length;
          const count = quantize(values, before, end, { scales, perValue, exact }, type, out);
          let saturated = 0;
          for (let i = before; i < end; i += 1) {
            const [x, s] = [values[i] as number, scales[perValue ? i - before : 0] as number];
            const ratio = s === 0 ? 0 : exact ? x / s : quotient32(x, s);
            if (isSaturated(ratio, type)) saturated += 1;
            const wanted = roundToOperand(ratio, type);
            // Past the largest value of a type that does not saturate, all that is promised is something above it.
            if (Number.isFinite(wanted)) expect([i, out[i]]).toEqual([i, wanted]);
            else expect(Math.abs(out[i] as number)).toBeGreaterThan(type.largest);
          }
          expect(count).toBe(saturated);
          expect([...out.subarray(0, before), out[end]]).toEqual(Array.from({ length: before + 1 }, () => -5));
        },
      ),
      { numRuns: 400 },
    ));

  it("are rounded from the fp32 quotient, not from float64's, and from an exact one where scales are powers of two", () => {
    const out = new Float32Array(1);
    const one = (values: GivenValues, scale: number, exact: boolean): readonly [out: number, saturated: number] => {
      const saturated = quantize(values, 0, 1, { scales: Float64Array.of(scale), perValue: false, exact }, type, out);
      return [out[0] as number, saturated];
    };
    // Ties among the smallest values, and quotients that fp32 alone takes for them.
    const step = type.integer ? 1 : 2 ** (type.leastExponent - type.significandBits + 1);
    for (let n = 1; n < 60; n += 1) {
      const tie = ((n % 6) + 0.5) * step;
      const scale = Math.fround(n / 10);
      const x = Math.fround(tie * scale);
      if (x < 2 ** -100) continue;
      const wanted = roundToOperand(quotient32(x, scale), type);
      expect([n, one(Float32Array.of(x), scale, false)]).toEqual([n, [wanted, 0]]);
      expect([n, one(Float64Array.of(x), scale, false)]).toEqual([n, [wanted, 0]]);
      for (const beside of [1 - 2 ** -40, 1 + 2 ** -40])
        expect([n, one(Float64Array.of(4 * tie * beside), 4, true)]).toEqual([
          n,
          [roundToOperand(tie * beside, type), 0],
        ]);
    }
    if (type.saturates) expect(one(Float32Array.of(-type.largest), 1, false)).toEqual([-type.largest, 0]);
  });
});

it("law: the largest magnitude is that of a sorted list, NaN where a value is none", () =>
  fc.assert(
    fc.property(fc.array(value, { minLength: 1, maxLength: 20 }), fc.nat(19), (drawn, place) => {
      const values = Float64Array.from([1e9, ...drawn, -1e9]);
      const most = drawn.map(x => Math.abs(x)).sort((a, b) => b - a)[0];
      expect(largestMagnitude(values, 1, 1 + drawn.length)).toBe(most);
      values[1 + (place % drawn.length)] = Number.NaN;
      expect(largestMagnitude(values, 1, 1 + drawn.length)).toBeNaN();
      expect(largestMagnitude(values, 1, 1)).toBe(0);
    }),
  ));
