import { describe, expect, it } from "vitest";
import {
  type ArithmeticSpec,
  isScaledAfterwards,
  type OperandSpec,
  type Scale,
} from "../../src/numerics/arithmetic.js";
import { dotOf } from "../../src/numerics/dot.js";
import { formatArithmetics } from "../../src/numerics/format-of.js";
import { type NumberType, numberTypes } from "../../src/numerics/number-type.js";
import { productSumOf } from "../../src/numerics/summation.js";

const of = (type: NumberType, scale: Scale = "none"): OperandSpec => ({ type: numberTypes[type], scale });
const step = { block: 4, align: 25, result: "e8m13-rz" } as const;
const steps: ArithmeticSpec = { ...formatArithmetics.bf16, dot: step };

describe("how a sum of products comes together", () => {
  it.each([
    ["none", { kind: "chain" }],
    ["tensor", { kind: "chain" }],
    [{ rows: 4 }, { kind: "chain" }],
    ["mx", { kind: "blocks", width: 32, exact: true }],
    ["nvfp4", { kind: "blocks", width: 16, exact: false }],
  ] as const)("with scales %j", (scale, sum) => {
    const a = of("fp8-e4m3", scale);
    expect(productSumOf(formatArithmetics.bf16, a, a).sum).toEqual(sum);
    const width = sum.kind === "chain" ? null : sum.width;
    expect(productSumOf(steps, a, a).sum).toEqual({ kind: "steps", dot: step, width });
    expect(isScaledAfterwards(a)).toBe(width === null && scale !== "none");
  });

  it.each([
    ["bf16", "bf16", true],
    ["fp16", "fp8-e4m3", true],
    ["fp32", "fp16", false],
    ["bf16", "fp32", false],
  ] as const)("products of %s and %s are fp32 values: %s", (a, b, exact) => {
    const sum = productSumOf(formatArithmetics["bf16-strict"], of(a), of(b));
    expect(sum).toMatchObject({ types: [numberTypes[a], numberTypes[b]], accumulator: "bf16", exact });
  });

  it("products are fp32 values as long as both significands have 24 bits, not 25", () => {
    const narrow = { type: { ...numberTypes.fp16, significandBits: 12 }, scale: "none" } as const;
    const wide = { type: { ...numberTypes.fp16, significandBits: 13 }, scale: "none" } as const;
    const exact = (a: OperandSpec, b: OperandSpec): boolean => productSumOf(formatArithmetics.bf16, a, b).exact;
    expect([exact(narrow, narrow), exact(narrow, wide)]).toEqual([true, false]);
  });
});

describe("a sum of products", () => {
  const term = (a: number, b: number, visible = true) => ({ a, b, visible });

  it("leaves what it began with as it is where no key is seen, and cuts it in any other step", () => {
    const dot = dotOf(steps, of("bf16"), of("bf16"));
    const from = 1 + 2 ** -20;
    const hidden = Array.from({ length: 9 }, () => term(0, 0, false));
    const run = (terms: typeof hidden) => [{ terms, scaleA: 1, scaleB: 1 }];
    expect(dot(from, run(hidden))).toBe(from);
    expect(dot(from, run([...hidden, term(0, 1)]))).toBe(1);
    expect(dot(from, run([...hidden, term(2, 1), term(1, 1)]))).toBe(4);
  });

  it("takes steps of as many positions, and the exponents of both scales, which a chain rounds products without", () => {
    const dot = dotOf({ ...steps, dot: { ...step, align: 2, result: "fp32-rz" } }, of("bf16", "mx"), of("bf16", "mx"));
    // Steps of four: 8 cuts to multiples of 2 what is in its step, and not what is in the next one or had its own.
    const terms = [1, 8, 1, 1, 1, 1].map(x => term(x, 1));
    expect(dot(0, [{ terms: terms.slice(2), scaleA: 1, scaleB: 1 }])).toBe(4);
    expect(dot(0, [{ terms, scaleA: 1, scaleB: 1 }])).toBe(8);
    expect(dot(0, [{ terms: [term(3, 1)], scaleA: 2 ** -5, scaleB: 2 ** 3 }])).toBe(0.75);
    const chain = dotOf(formatArithmetics.fp32, of("fp32"), of("fp32"));
    // (1 + 2^-22)^2 loses its 2^-44 before the sum.
    const a = 1 + 2 ** -22;
    expect(chain(-1, [{ terms: [term(a, a)], scaleA: 1, scaleB: 1 }])).toBe(2 ** -21);
  });

  it("multiplies a block by scales of powers of two exactly, where their product is no fp32 value", () => {
    const a = of("fp32", "mx");
    const runs = [{ terms: [term(2 ** 50, 2 ** 50)], scaleA: 2 ** -80, scaleB: 2 ** -80 }];
    expect(dotOf(formatArithmetics.fp32, a, a)(0, runs)).toBe(2 ** -60);
    const b = of("fp32", "nvfp4");
    expect(dotOf(formatArithmetics.fp32, b, b)(0, runs)).toBe(0);
    const z = 1 + 2 ** -22;
    // RNE32(0.1 * 0.7) once, then the product with u.
    const [x, y] = [Math.fround(0.1), Math.fround(0.7)];
    const scaled = [{ terms: [term(3, 1)], scaleA: x, scaleB: y }];
    expect(dotOf(formatArithmetics.fp32, b, b)(0, scaled)).toBe(Math.fround(3 * Math.fround(x * y)));
    expect(dotOf(formatArithmetics.fp32, b, b)(-1, [{ terms: [term(z, 1)], scaleA: z, scaleB: 1 }])).toBe(2 ** -21);
  });
});
