import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatNames, formats } from "../../src/numerics/format.js";
import { macChains, makeFloatRow } from "../../src/numerics/mac-chains.js";
import { processingElement } from "../../src/numerics/pe.js";
import { fromBits } from "../../src/numerics/rounding.js";

/** Operands of widely different size with short significands, so that ties and cancellations are common. */
const value = fc.oneof(
  fc.integer({ min: -512, max: 512 }).map(n => n / 64),
  fc.tuple(fc.integer({ min: -255, max: 255 }), fc.integer({ min: -20, max: 8 })).map(([m, e]) => m * 2 ** e),
  fc.integer({ min: 0x30000000, max: 0x45ffffff }).map(fromBits),
);

/** Operands of which a few products add up to about 2^-14, where binary16 becomes subnormal. */
const small = fc.integer({ min: -2047, max: 2047 }).map(n => n * 2 ** -18);

describe.each(formatNames)("chains of multiply-accumulates in %s", name => {
  it("law: they equal the PE's mac in bits, overflow and underflow included, for any length and part of the row", () => {
    const pe = processingElement(formats[name]);
    const mac = macChains({ accumulator: formats[name].accumulator, exact: formats[name].operand !== "fp32" });
    const stepsOf = (x: typeof value) =>
      fc.array(fc.tuple(x, fc.array(x, { minLength: 5, maxLength: 5 })), { maxLength: 40 });
    const steps = fc.oneof(stepsOf(value), stepsOf(small));
    fc.assert(
      fc.property(steps, fc.nat(3), fc.nat(5), (all, start, end) => {
        const sums = makeFloatRow(5);
        const a = Float32Array.from([7, ...all.map(([x]) => pe.operand(x))]);
        const x = Float32Array.from([9, ...all.flatMap(([, row]) => row.map(pe.operand))]);
        mac(sums, { values: a, first: 1, count: all.length }, { values: x, offset: 1, stride: 5 }, start, end);
        const expected = Array.from({ length: 5 }, (_, i) =>
          i < start || i >= end
            ? 0
            : all.reduce((s, _row, j) => pe.mac(s, a[1 + j] ?? Number.NaN, x[1 + j * 5 + i] ?? Number.NaN), 0),
        );
        expect([...sums.values]).toEqual(expected);
        expect(sums.bits.includes(0x80000000)).toBe(false);
      }),
    );
  });
});
