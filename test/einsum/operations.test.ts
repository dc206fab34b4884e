import { describe, expect, it } from "vitest";
import { parseCascade } from "../../src/einsum/cascade.js";
import { evaluateCascade } from "../../src/einsum/evaluate.js";
import { countOperations } from "../../src/einsum/operations.js";
import { solveShape } from "../../src/einsum/shape.js";
import { loadCascade } from "../../src/io/cascade-files.js";

const counts = (text: string): string[] =>
  countOperations(parseCascade(text)).map(({ tensor, op, count }) => `${tensor} ${op} ${count}`);

describe("operation counts", () => {
  it.each([
    ["a product that is summed is a multiply-accumulate", "Z[m,p] = A[k,m] * B[k,p]", ["Z mac K*M*P"]],
    ["a product of three has one more product", "Z = A[k] * B[k] * C[k]", ["Z mul K", "Z mac K"]],
    ["a product that is not summed is none", "Z[k] = A[k] * B[k]", ["Z mul K"]],
    ["a sum alone is an addition per point", "Z = A[k]", ["Z add K"]],
    ["a maximum", "Z = A[k] * B[k] :: max(k)", ["Z mul K", "Z max K"]],
    ["a difference is an addition", "Z[k] = exp(A[k] - B)", ["Z add K", "Z exp K"]],
    ["two reductions, one after the other", "Z = A[m,p] :: max(m)", ["Z add M*P", "Z max M"]],
    ["a prefix has half of the square", "Z[i] = A[k: k<=i]", ["Z add K*(K+1)/2"]],
    ["a prefix without itself", "Z[i] = A[k: k<i]", ["Z add K*(K-1)/2"]],
    ["copies, constants and signs cost nothing", "R[i=0] = 1\nR[i+1] = R[i]\nZ = abs(neg(R[K]))\nuntil: i >= K", []],
    [
      "every function and operator its own",
      "Z[k] = log(A[k]) + sqrt(A[k]) - rsqrt(A[k]) * sigmoid(A[k])",
      ["Z log K", "Z sqrt K", "Z add 2*K", "Z rsqrt K", "Z sigmoid K", "Z mul K"],
    ],
    ["a function that is summed is no multiply-accumulate", "Z = exp(A[k])", ["Z exp K", "Z add K"]],
    [
      "those of an argument, but not of a scale",
      "Z[k] = relu(recip(tanh(min(A[k], 1)))) / exp(A[k], 1 / 2)",
      ["Z max 2*K", "Z tanh K", "Z div 2*K", "Z exp K"],
    ],
    ["a square that is summed is a multiply-accumulate", "Z = square(A[k] - 1)", ["Z add K", "Z mac K"]],
    ["a quotient that is summed is none", "Z = A[k] / B[k]", ["Z div K", "Z add K"]],
    ["a product under a maximum is none", "Z = square(A[k]) :: max(k)", ["Z mul K", "Z max K"]],
    ["products and minima", "Z = A[k,j] :: *(k) :: min(j)", ["Z mul J*K", "Z max J"]],
    ["three reductions", "Z[p] = A[i,j,k,p] :: +(i) :: max(j)", ["Z add I*J*K*P + I*J*P", "Z max J*P"]],
    [
      "a filter of what is reduced later",
      "Z = A[i,j,k: j<=i] :: +(k) :: max(j) :: +(i)",
      ["Z add K*points(j<=i) + I", "Z max points(j<=i)"],
    ],
    [
      "filters that share a rank are counted together",
      "Z[i,j] = A[k,m,n: k<=i & m<=k & n<j]",
      ["Z add N*(N-1)/2*points(k<=i & m<=k)"],
    ],
    ["an equality of a rank with itself", "Z[i] = A[k: k==i]", ["Z add K"]],
    ["an equality of two ranks", "Z[i] = A[k,i: k==i]", ["Z add points(k==i)"]],
    ["a single point", "Z = A + B * C", ["Z mul 1", "Z add 1"]],
    ["a first coordinate costs what its line says", "R[i=0] = A + B\nR[i+1] = R[i]\nuntil: i >= K", ["R add 1"]],
  ])("%s", (_what, text, expected) => {
    expect(counts(text)).toEqual(expected);
  });

  it("counts the points of a condition between two ranks", () => {
    const causal = parseCascade("S[p] = QK[m: m<=p, p]\nT[m,p] = QK[m,p]");
    const sizes = solveShape(causal, { M: 4, P: 6 });
    const [sum] = countOperations(causal, rank => sizes.get(rank));
    // p = 0 ... 5 sees min(4, p + 1) keys.
    expect(sum).toMatchObject({ op: "add", count: "points(m<=p)", value: 18n });
  });

  it("counts sizes that are known, and no points where they are too many or a size is not known", () => {
    const values = (text: string, shape: Readonly<Record<string, number>>) =>
      countOperations(parseCascade(text), rank => shape[rank]).map(({ value }) => value);
    expect(values("Z[p] = A[k] * B[p] * 3", { K: 4, P: 5 })).toEqual([20n, 20n]);
    expect(values("Z[p] = A[k] * B[p] * 3", { K: 4 })).toEqual([null, null]);
    expect(values("Z[i] = A[i,j,k] :: max(k)", { I: 2, J: 3, K: 4 })).toEqual([24n, 8n]);
    expect(values("Z[i] = A[k: k<i]", { K: 5 })).toEqual([10n]);
    expect(values("Z[i] = A[k: k==i]", {})).toEqual([null]);
    expect(values("Z[i] = A[k: k<=i]", {})).toEqual([null]);
    // 40 million points are counted one by one: here of a filter that none passes, 2 * 2 * 10^7 of them.
    expect(values("Z[i] = A[k: k<=i-9]", { K: 8 })).toEqual([0n]);
    expect(values("Z[i] = A[k: k<=i-9]", { K: 6325 })).toEqual([null]);
    // A split rank's parts, of different sizes.
    const split = "ranks: M = M1 * M0\nZ[p] = A[m1,m0,p: m1*M0+m0<=p]";
    expect(values(split, { M1: 2, M0: 3, M: 6, P: 4 })).toEqual([1n + 2n + 3n + 4n]);
    expect(values(split, { M1: 2, M0: 3, M: 6, P: 9 })).toEqual([21n + 3n * 6n]);
  });

  it("multiplies large shapes exactly", () => {
    const cascade = loadCascade("attention-1-pass");
    const sizes = solveShape(cascade, { M: 2 ** 20, M0: 256, P: 2 ** 20, E: 128, F: 3 ** 10 });
    const found = countOperations(cascade, rank => sizes.get(rank));
    expect(found.find(o => o.tensor === "SLNV")?.value).toBe(3n ** 10n * 2n ** 40n);
    expect(found.find(o => o.tensor === "AV")).toMatchObject({ op: "div", count: "F*P", value: 3n ** 10n * 2n ** 20n });
  });

  it("counts what the paper's Table I compares", () => {
    const divisions = (name: string) =>
      countOperations(loadCascade(name))
        .filter(o => o.op === "div")
        .map(o => o.count);
    expect([divisions("attention-3-pass"), divisions("attention-3-pass-deferred")]).toEqual([["M*P"], ["F*P"]]);
  });

  it("law: points that conditions leave are as many as a sum of ones over them", () => {
    const relations = ["<=", "<", ">=", ">", "=="];
    const conditions = relations.flatMap(relation => [
      ...["", "+1", "-1", "+2"].map(shift => `k ${relation} i${shift}`),
      `i ${relation} k`,
      `k ${relation} 2`,
      `k ${relation} i & k >= i-1`,
    ]);
    for (const condition of conditions) {
      for (const size of [1, 2, 5]) {
        // One rank; and two of different sizes.
        for (const [text, inputs] of [
          ...(!condition.includes("i") ? [] : [[`Z[i] = A[k: ${condition}]`, { A: [size] }] as const]),
          [`S[i] = B[k: ${condition}, i]\nT[k,i] = B[k,i]`, { B: [size, 3] }] as const,
        ]) {
          const cascade = parseCascade(text);
          const sizes = solveShape(cascade, "A" in inputs ? { K: size } : { K: size, I: 3 });
          const ones = Object.entries(inputs).map(([name, shape]) => {
            const data = new Float64Array(shape.reduce<number>((a, b) => a * b, 1)).fill(1);
            return [name, { shape, data }];
          });
          const { tensors } = evaluateCascade(cascade, Object.fromEntries(ones));
          const points = tensors.get(cascade.einsums[0]?.tensor ?? "")?.data.reduce((a, b) => a + b, 0);
          const found = countOperations(cascade, rank => sizes.get(rank)).find(({ op }) => op === "add");
          expect(found?.value, `${text}, ${size}`).toBe(BigInt(points ?? -1));
        }
      }
    }
  });
});
