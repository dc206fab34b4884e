import { describe, expect, it } from "vitest";
import { roundOperands, roundTensor } from "../../src/emulator/operands.js";
import { InputError } from "../../src/errors.js";
import { formats } from "../../src/numerics/format.js";

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
  it("refuses a tensor that does not fit its shape", () => {
    const inputs = { q: new Float32Array(8), k: new Float32Array(6), v: new Float32Array(4) };
    expect(() => roundOperands(inputs, shape, formats.bf16)).toThrow(
      /^v: got 4 values; expected 3 for the shape \[1, 1, 3, 1\]/,
    );
  });
});
