import { describe, expect, it } from "vitest";
import { parseCascade } from "../../src/einsum/cascade.js";
import { evaluateCascade } from "../../src/einsum/evaluate.js";
import type { DenseTensor } from "../../src/einsum/tensor-store.js";
import { specFiles } from "../../src/io/spec-files.js";
import type { ArithmeticSpec } from "../../src/numerics/arithmetic.js";
import { type NumberType, numberTypes } from "../../src/numerics/number-type.js";
import { loadArithmetic } from "../../src/spec/load.js";

describe("the arithmetic of the PEs", () => {
  const run =
    (text: string, inputs: Readonly<Record<string, number>>, format: "fp16-strict" | "fp32" | "bf16-strict" = "fp32") =>
    () =>
      evaluateCascade(parseCascade(text), inputs, { format }).tensors.get("Z")?.data[0];
  const most = 65504;

  it.each([
    ["A + B", [60000, 5504], most],
    ["A - B", [-60000, 5504], -most],
    ["A * B", [most, -1], -most],
    ["A / B", [most, -1], -most],
    ["neg(A)", [most, 0], -most],
    ["neg(A)", [-most, 0], most],
    ["neg(A)", [0, 0], 0],
    ["abs(A)", [-most, 0], most],
    ["min(A, B)", [most, -3], -3],
    ["min(A, B)", [-most, 3], -most],
    ["max(A, B)", [-2, -3], -2],
    ["relu(A)", [-2, 0], 0],
    ["relu(A)", [2, 0], 2],
    ["square(A)", [-255, 0], 65024],
    ["recip(A)", [-4, 0], -0.25],
    ["A * B + 1", [3, 4], 13],
  ])("takes %s of %j up to the largest magnitude", (text, [A, B], expected) => {
    expect(run(`Z = ${text}`, { A: A ?? 0, B: B ?? 0 }, "fp16-strict")()).toBe(expected);
  });

  it.each([
    "A + A",
    "0 - A - A",
    "A * 2",
    "A / 0.5",
    "square(A)",
    "recip(1 / A / A)",
    "min(-inf, A)",
    "abs(-inf)",
    "neg(inf)",
  ])("does not take %s, past it", text => {
    expect(run(`Z = ${text}`, { A: most }, "fp16-strict")).toThrow(
      /^Z in fp16-strict arithmetic: got -?Infinity; expected magnitudes up to 65504$/,
    );
  });

  it("says of an exponential its scale, where it has one", () => {
    expect(run("Z = exp(A)", { A: 64 })).toThrow(
      /^Z in fp32 arithmetic: got exp\(64\), 2\^92.33\d*; expected powers of 2 up to 2\^64; subtract/,
    );
    expect(run("Z = exp(A, 2)", { A: 64 })).toThrow(/got exp\(64\) of scale 2, 2\^184.6\d*; expected/);
  });

  it("moves a copy of an operand as it is, whose accumulator is narrower, and rounds what is computed or annotated", () => {
    const base = loadArithmetic(specFiles, "bf16");
    const wide = { type: numberTypes.fp32, scale: "none" as const };
    const format = {
      ...base,
      name: "wide",
      accumulator: "bf16" as const,
      operands: { q: wide, k: wide, v: wide, p: wide },
    };
    const value = 1 + 2 ** -10;
    const of = (text: string) =>
      evaluateCascade(parseCascade(text), { A: value }, { format }).tensors.get("Z")?.data[0];
    expect(of("Z = A")).toBe(value);
    expect(of("Y = A\nZ = Y")).toBe(value);
    for (const text of ["A * 1", "A + 0", "max(A, 0)"]) expect(of(`Z = ${text}`), text).toBe(1);
    expect(of("Z = A @accumulator")).toBe(1);
    expect(of("Z = A @operand")).toBe(value);
    expect(of("Y = A @accumulator\nZ = Y")).toBe(1);
  });

  it("rounds each factor of a sum of products to the operand that it is: a copy's as it is, beside k as q, else as p", () => {
    const base = loadArithmetic(specFiles, "bf16");
    const operand = (type: NumberType) => ({ type: numberTypes[type], scale: "none" as const });
    const operands = { q: operand("fp16"), k: operand("bf16"), v: operand("fp8-e4m3"), p: operand("fp8-e5m2") };
    const format = { ...base, name: "several", operands };
    const one = (x: number) => ({ shape: [1], data: [x] });
    const sum = (text: string, x: number) =>
      evaluateCascade(
        parseCascade(`inputs: Q[e], K[e], V[e]\nC[e] = K[e]\n${text}`),
        { Q: one(x), K: one(1), V: one(1) },
        { format },
      ).tensors.get("Z")?.data[0];
    // 1 + 2^-10 is an fp16, not a bf16; 1 + 2^-3 an e4m3, not an e5m2, whose tie goes to 1.
    const [fine, coarse] = [1 + 2 ** -10, 1 + 2 ** -3];
    for (const text of ["Z = Q[e] * K[e]", "Z = (Q[e] + 0) * K[e]", "Z = K[e] * (Q[e] + 0)", "Z = (Q[e] + 0) * C[e]"])
      expect(sum(text, fine), text).toBe(fine);
    for (const text of [
      "Z = (Q[e] + 0) * V[e]",
      "Z = V[e] * (Q[e] + 0)",
      "Z = (Q[e] + 0) * (K[e] + 0)",
      "Z = square(Q[e] + 0)",
    ])
      expect(sum(text, coarse), text).toBe(1);
    expect(sum("Z = square(Q[e])", coarse)).toBe(coarse * coarse);
  });

  it("has functions of its own in float64, also far from 0", () => {
    const of = (text: string, A: number) =>
      evaluateCascade(parseCascade(`Z = ${text}`), { A }).tensors.get("Z")?.data[0];
    expect([-1000, -1, 0, 1, 1000].map(A => of("sigmoid(A)", A))).toEqual([
      0,
      Math.exp(-1) / (1 + Math.exp(-1)),
      0.5,
      1 / (1 + Math.exp(-1)),
      1,
    ]);
    expect(of("rsqrt(A)", 16)).toBe(0.25);
    expect(of("recip(A)", 8)).toBe(0.125);
    expect(of("exp(A, 0.5)", 2)).toBe(Math.E);
  });
});

describe("sums of products in the arithmetic of the PEs", () => {
  const vector = (...values: number[]) => ({ shape: [values.length], data: values });
  const last = (
    text: string,
    inputs: Readonly<Record<string, DenseTensor>>,
    format: "bf16" | ArithmeticSpec = "bf16",
  ) => Array.from(evaluateCascade(parseCascade(text), inputs, { format }).tensors.get("Z")?.data ?? []).at(-1);
  // 1 + 2^-10 is an fp32 and no bf16.
  const inputs = { A: vector(0, 1), B: vector(0, 2 ** -10), C: vector(1, 1) };
  const fine = 1 + 2 ** -10;

  it.each([
    ["(A[e] + B[e]) * C[e]", 1],
    ["C[e] * (A[e] + B[e])", 1],
    ["square(A[e] + B[e])", 1],
    ["Y[e] * C[e]", 1],
    ["C[e] * Y[e]", 1],
    ["W[e] * C[e]", fine],
    ["C[e] * W[e]", fine],
    ["A[e] + B[e]", fine],
    ["(A[e] + B[e]) / C[e]", fine],
    ["abs(A[e] + B[e])", fine],
  ])(
    "round factors that are computed, unless they are annotated otherwise, with a filter and without: %s",
    (right, expected) => {
      const lines = "Y[e] = A[e] + B[e]\nW[e] = A[e] + B[e] @accumulator\n";
      expect(last(`${lines}Z = ${right}`, inputs)).toBe(expected);
      const first = right.replace("[e]", "[e: e<=i]");
      expect(last(`${lines}Z[i] = ${first}`, inputs)).toBe(expected);
    },
  );

  it("leave out points under a filter, in steps of a tensor core too", () => {
    const hopper = loadArithmetic(specFiles, "hopper-fp8");
    const run = (text: string) =>
      Array.from(
        evaluateCascade(parseCascade(text), { A: vector(1, 2, 3), B: vector(4, 5, 6) }, { format: hopper }).tensors.get(
          "Z",
        )?.data ?? [],
      );
    expect(run("Z[i] = A[k: k<=i] * B[k]")).toEqual([4, 14, 32]);
    expect(run("Z[i] = A[k: k>i] * B[k]")).toEqual([28, 18, 0]);
    expect(run("Z[i] = square(A[k: k<=i])")).toEqual([1, 5, 14]);
    expect(run("Z = A[k] * B[j]")).toEqual([6 * 15]);
    expect(run("Z[j] = A[i] * A[k] * B[j]")).toEqual([4, 5, 6].map(x => 36 * x));
    expect(run("Z = abs(A[k])")).toEqual([6]);
    expect(run("Z = A[k] + B[k]")).toEqual([21]);
    expect(run("Z = A[k] * B[k] :: max(k)")).toEqual([18]);
  });

  it("are in steps where an input passes the array, and one by one where both factors are computed", () => {
    const hopper = loadArithmetic(specFiles, "hopper-fp8");
    // 8 is more than 13 bits below 448 * 448, and none of it is lost in fp32.
    const own = { A: vector(448, 2), B: vector(448, 4) };
    const whole = 448 * 448 + 8;
    const lines = "Y[e] = A[e] @operand\nX[e] = B[e] * 1 @operand\nW[e] = A[e] * 1 @operand\n";
    expect(last(`${lines}Z = A[e] * B[e]`, own, hopper)).toBe(448 * 448);
    expect(last(`${lines}Z = A[e] * X[e]`, own, hopper)).toBe(448 * 448);
    expect(last(`${lines}Z = W[e] * X[e]`, own, hopper)).toBe(whole);
    expect(last(`${lines}Z = (A[e] + 0) * (B[e] + 0)`, own, hopper)).toBe(whole);
  });

  it("may be minus infinity where a maximum is over nothing, and not infinity where a minimum is", () => {
    const run = (text: string) => () =>
      Array.from(
        evaluateCascade(parseCascade(text), { A: vector(1, 2) }, { format: "fp32" }).tensors.get("Z")?.data ?? [],
      );
    expect(run("Z[i] = A[k: k<i] + 1 :: max(k)")()).toEqual([Number.NEGATIVE_INFINITY, 2]);
    expect(run("Z[i] = A[k: k<i] :: max(k)")()).toEqual([Number.NEGATIVE_INFINITY, 1]);
    expect(run("Y[i] = A[k: k<i] :: max(k)\nZ[i] = Y[i]")()).toEqual([Number.NEGATIVE_INFINITY, 1]);
    expect(run("Y[i] = A[k: k<i] :: max(k)\nZ[i] = max(Y[i], A[i])")()).toEqual([1, 2]);
    expect(run("Y[i] = A[k: k<i] :: max(k)\nZ[i] = max(Y[i], -inf)")()).toEqual([Number.NEGATIVE_INFINITY, 1]);
    expect(run("Z[i] = A[k: k<i] :: min(k)")).toThrow(/Z\[0\] in fp32 arithmetic: got Infinity/);
    expect(run("Y[i] = A[k: k<i] :: max(k)\nZ = Y[i]")).toThrow(/Z in fp32 arithmetic: got -Infinity/);
    expect(run("Y[i] = A[k: k<i] :: max(k)\nZ[i] = min(Y[i], 0)")).toThrow(/Z\[0\] in fp32 arithmetic: got -Infinity/);
  });
});
