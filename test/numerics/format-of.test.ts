import { describe, expect, it } from "vitest";
import type { ArithmeticSpec } from "../../src/numerics/arithmetic.js";
import { formatNames, formats } from "../../src/numerics/format.js";
import { formatArithmetics, formatOf, requireFormat } from "../../src/numerics/format-of.js";
import { numberTypes } from "../../src/numerics/number-type.js";
import { hasInputScales, onePassChoices } from "../../src/numerics/one-pass-choices.js";

const bf16 = formatArithmetics.bf16;
const { exp, operands } = bf16;
const fp8 = { type: numberTypes["fp8-e4m3"], scale: "none" } as const;

/** bf16 with one thing that no number format has. */
const others: readonly (readonly [what: string, change: Partial<ArithmeticSpec>])[] = [
  ["another type of k", { operands: { ...operands, k: { ...operands.k, type: numberTypes.fp16 } } }],
  ["a scale of v", { operands: { ...operands, v: { ...operands.v, scale: "head" } } }],
  ["a fused exponential", { exp: { ...exp, fused: true } }],
  ["other coefficients", { exp: { ...exp, coefficients: exp.coefficients.slice(1) } }],
  ["an accumulator that does not go with its type", { accumulator: "fp16" }],
  ["a type without a format", { operands: { q: fp8, k: fp8, v: fp8, p: fp8 } }],
  ["an offset", { offset: 1 }],
  ["a threshold", { threshold: 1 }],
];

describe("the number format of an arithmetic", () => {
  it.each(formatNames)("law: is the one that it was made of: %s", name => {
    expect(formatOf(formatArithmetics[name])).toBe(formats[name]);
    expect(requireFormat(formatArithmetics[name], "x")).toBe(formats[name]);
  });

  it("chooses what the formats do (docs/numerics.md): no offset, no lag of the maximum", () => {
    expect(formatArithmetics.bf16).toMatchObject({ offset: 0, threshold: 0, dot: "chain", exp: { fused: false } });
  });

  it.each(others)("is none with %s", (_, change) => {
    const changed = { ...bf16, ...change };
    expect(formatOf(changed)).toBeNull();
    expect(() => requireFormat(changed, "--arithmetic")).toThrow(
      /^--arithmetic: got arithmetic bf16; expected that of a number format: bf16, bf16-strict, /,
    );
  });
});

describe("choices that one-pass attention alone has", () => {
  it("are those that differ from the formats', but for the sum of products", () => {
    expect(onePassChoices(bf16)).toEqual([]);
    const dot = { block: 8, align: 23, result: "fp32-rz" } as const;
    expect(onePassChoices({ ...bf16, dot })).toEqual([]);
    const p = { ...operands.p, scale: { rows: 64 } } as const;
    const changed = { ...bf16, operands: { ...operands, p }, offset: 2, exp: { ...exp, fused: true } };
    expect(onePassChoices(changed)).toEqual([
      { field: "operands.p.scale", got: '{"rows":64}', expected: "none" },
      { field: "offset", got: "2", expected: "0" },
      { field: "exp.fused", got: "true", expected: "false" },
    ]);
    const head = { ...operands, p: { ...operands.p, scale: "head" } } as const;
    expect(onePassChoices({ ...bf16, operands: head })).toEqual([
      { field: "operands.p.scale", got: "head", expected: "none" },
    ]);
  });

  it("have no scales of inputs, which attention alone has", () => {
    expect(hasInputScales(bf16)).toBe(false);
    expect(hasInputScales({ ...bf16, operands: { ...operands, v: { ...operands.v, scale: "head" } } })).toBe(true);
  });
});
