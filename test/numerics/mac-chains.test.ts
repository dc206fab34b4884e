import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Format, formatNames, formats } from "../../src/numerics/format.js";
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

/** The formats, and sums of 16 bits whose products have to be rounded to fp32 first. */
const kinds: readonly Format[] = [
  ...formatNames.map(name => formats[name]),
  { name: "bf16", operand: "fp32", accumulator: "bf16" },
  { name: "fp16", operand: "fp32", accumulator: "fp16" },
];

describe.each(kinds)("chains of multiply-accumulates of $operand to $accumulator", kind => {
  const pe = processingElement(kind);
  const mac = macChains({ accumulator: kind.accumulator, exact: kind.operand !== "fp32" });

  it("law: they equal the PE's mac in bits, overflow and underflow included, for any length and part of the row", () => {
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

  /** s = first, then s + a * x. */
  const twoSteps = (first: number, a: number, x: number): number => {
    const sums = makeFloatRow(1);
    mac(
      sums,
      { values: Float32Array.of(1, a), first: 0, count: 2 },
      { values: Float32Array.of(first, x), offset: 0, stride: 1 },
      0,
      1,
    );
    return sums.values[0] as number;
  };

  it("equal it beside ties, where 16 bits overflow, and where binary16 becomes subnormal", () => {
    const edges = [
      // Ties of 8 and 11 bits: to the even one below, to the even one above; no tie by the last bit of fp32.
      ...[256, 258, 2048, 2050].flatMap(first => [1, 1 + 2 ** -7, 1 - 2 ** -7].map(x => [first, 1, x])),
      ...[0, 2, 4096].flatMap(odd => [
        [2048 + odd, 1, 1.0625],
        [2048 + odd, 1, 0.9375],
      ]),
      // 65519.99609375 is the last fp32 value that is 65504 in binary16, 65520 the first that is an infinity.
      [65504, 65, 63 / 256],
      [65504, 4, 4],
      [65504, 8, 4],
      [2 ** -14, 2 ** -12, -(2 ** -12)],
      [2 ** -14 - 2 ** -24, 2 ** -12, 2 ** -13],
      [2 ** -14 - 2 ** -24, 2 ** -12, 2 ** -14],
      [2 ** -14, 2 ** -12, 2 ** -13],
      // Ties of 8 and 11 bits once the product is rounded to fp32, and none before.
      [-1, 1 + 2 ** -15, 1 + 2 ** -23],
      [-1, 1 + 2 ** -12, 1 + 2 ** -23],
    ].map(values => values.map(pe.operand));
    for (const [first = 0, a = 0, x = 0] of edges) {
      for (const sign of [1, -1])
        expect([first, a, x, twoSteps(sign * first, sign * a, x)]).toEqual([
          first,
          a,
          x,
          pe.mac(sign * pe.mac(0, first, 1), sign * a, x),
        ]);
    }
  });
});
