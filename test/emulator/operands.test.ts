import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { firstRows } from "../../src/attention/existing-rows.js";
import { roundOperands, roundPart, roundTensor } from "../../src/emulator/operands.js";
import { InputError } from "../../src/errors.js";
import type { FloatType } from "../../src/numerics/format.js";
import { formatArithmetics } from "../../src/numerics/format-of.js";
import { largestOperand } from "../../src/numerics/limits.js";
import { numberTypes } from "../../src/numerics/number-type.js";
import { bitsOf, fromBits, operandRounder } from "../../src/numerics/rounding.js";

const shape = { batch: 1, heads: 2, kvHeads: 1, queries: 2, keys: 3, headDim: 2, valueDim: 1 };

describe("operands", () => {
  it("rounds float64 once, never through fp32", () => {
    const x = 1 + 2 ** -8 + 2 ** -40;
    expect(roundTensor(Float64Array.of(x), "q", [1], "bf16")[0]).toBe(1 + 2 ** -7);
    expect(roundTensor(Float32Array.of(x), "q", [1], "bf16")[0]).toBe(1);
  });
  it.each([
    ["fp16", 65520, 65519],
    ["bf16", 2 ** 50 * 1.01, 2 ** 50 * 1.001],
    ["fp32", 2 ** 50 * 1.001, 2 ** 50],
    ["bf16", Number.NaN, 0],
    ["fp32", -Infinity, 0],
  ] as const)("%s refuses %f, takes %f", (type, bad, good) => {
    for (const make of [Float32Array, Float64Array]) {
      const tensor = make.from([1, 2, 3, bad]);
      expect(() => roundTensor(tensor, "k", [2, 2], type)).toThrow(InputError);
      expect(() => roundTensor(tensor, "k", [2, 2], type)).toThrow(/^k\[1, 1\]: got .*; expected a finite value/);
      expect(() => roundTensor(make.from([good]), "k", [1], type)).not.toThrow();
    }
  });
  it.each([0x7fc00000, 0x7f800001, 0x7fff8000, 0x7fffffff, 0xffffffff])("refuses a NaN with the bits %i", bits => {
    const tensor = new Float32Array(new Uint32Array([bits]).buffer);
    for (const type of ["bf16", "fp16", "fp32"] as const) {
      expect(() => roundTensor(tensor, "q", [1], type)).toThrow(/^q\[0\]: got NaN/);
    }
  });
  it("rounds a tensor as it rounds each value, whatever its bits", () => {
    const types: readonly FloatType[] = ["bf16", "fp16", "fp32"];
    const bits = fc.oneof(
      fc.integer({ min: 0, max: 2 ** 32 - 1 }),
      fc.constantFrom(0, 0x80000000, 0x267fffff, 0x58808000),
    );
    fc.assert(
      fc.property(bits, fc.constantFrom(...types), (u, type) => {
        const x = fromBits(u);
        const y = operandRounder(type)(x);
        const take = (): Float32Array => roundTensor(Float32Array.of(x), "q", [1], type);
        if (Math.abs(y) <= largestOperand(numberTypes[type])) expect(bitsOf(take()[0] ?? Number.NaN)).toBe(bitsOf(y));
        else expect(take).toThrow(InputError);
      }),
      { numRuns: 3000 },
    );
  });
  it("law: padding past a batch's length may hold anything and becomes +0, in pieces of any size", () => {
    const sizes = [3, 2, 5, 4] as const;
    const lengths = fc.tuple(fc.nat(5), fc.nat(5), fc.nat(5));
    const junk = fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, -1e38, 7);
    const types = fc.constantFrom<FloatType>("bf16", "fp16", "fp32");
    fc.assert(
      fc.property(
        lengths,
        junk,
        types,
        fc.integer({ min: 1, max: 50 }),
        fc.boolean(),
        (own, bad, type, piece, wide) => {
          const exists = (i: number): boolean => Math.floor(i / 4) % 5 < (own[Math.floor(i / 40)] ?? 0);
          const values = Array.from({ length: 120 }, (_, i) => (exists(i) ? i / 8 : bad));
          const tensor = wide ? Float64Array.from(values) : Float32Array.from(values);
          const expected = Float32Array.from(values, (x, i) => (exists(i) ? x : 0));
          expect(roundTensor(tensor, "k", sizes, type, undefined, firstRows(own, 2))).toEqual(expected);
          const out = new Float32Array(120).fill(9);
          for (let at = 0; at < 120; at += piece)
            roundPart(tensor.subarray(at, at + piece), out, at, "k", sizes, type, firstRows(own, 2));
          expect(out).toEqual(expected);
        },
      ),
      { numRuns: 500 },
    );
  });
  it("refuses a tensor that does not fit its shape", () => {
    const inputs = { q: new Float32Array(8), k: new Float32Array(6), v: new Float32Array(4) };
    expect(() => roundOperands(inputs, shape, formatArithmetics.bf16)).toThrow(
      /^v: got 4 values; expected 3 for the shape \[1, 1, 3, 1\]/,
    );
  });
});
