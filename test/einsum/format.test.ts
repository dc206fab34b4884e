import { describe, expect, it } from "vitest";
import { parseCascade } from "../../src/einsum/cascade.js";
import { formatExpression } from "../../src/einsum/format-expression.js";

const rightOf = (right: string) => {
  const einsum = parseCascade(`Z[k] = ${right}`).einsums[0];
  if (einsum === undefined) throw new Error("no Einsum");
  return einsum.right;
};

describe("an expression as it is written", () => {
  it.each([
    "A[k]",
    "A[k] - (B[k] - C[k])",
    "A[k] - B[k] - C[k]",
    "A[k] + (B[k] - C[k])",
    "A[k] + (B[k] + C[k])",
    "A[k] * (B[k] * C[k])",
    "A[k] - (B[k] + C[k])",
    "A[k] / (B[k] / C[k])",
    "A[k] / B[k] / C[k]",
    "A[k] / (B[k] * C[k])",
    "(A[k] + B[k]) * C[k]",
    "A[k] * (B[k] + C[k])",
    "A[k] * B[k] + C[k]",
    "A[k] + B[k] * C[k]",
    "max(A[k], B[k]) * 2",
    "2 * max(A[k], B[k])",
    "A[k] / min(A[k], B[k])",
    "A[k] - max(A[k], B[k])",
    "neg(A[k] - B[k])",
    "2 / exp(A[k])",
    "A[k] - 2 * (B[k] - 1)",
    "min(A[k] + 1, max(B[k], -inf))",
    "exp(A[k] - B[k])",
    "exp(A[k], 1 / 2)",
    "inf * A[k]",
    "A[k] / K",
  ])("law: has the parentheses that it needs: %s", text => {
    expect(formatExpression(rightOf(text))).toBe(text);
  });

  it.each([
    ["((A[k]))", "A[k]"],
    ["(A[k] * B[k]) + C[k]", "A[k] * B[k] + C[k]"],
    ["(max(A[k], B[k])) - 1", "max(A[k], B[k]) - 1"],
  ])("leaves out those of %s", (text, shorter) => {
    expect(formatExpression(rightOf(text))).toBe(shorter);
  });
});
