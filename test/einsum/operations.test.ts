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
