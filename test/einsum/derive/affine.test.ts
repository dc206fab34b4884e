import { describe, expect, it } from "vitest";
import { parseCascade } from "../../../src/einsum/cascade.js";
import { changeOf, substitute } from "../../../src/einsum/derive/affine.js";
import type { Expression } from "../../../src/einsum/einsum.js";
import { formatExpression } from "../../../src/einsum/format-expression.js";

function parsed(text: string): Expression {
  const { einsums } = parseCascade(`inputs: A[m], B[m], C[m], S[m]\nZ[m] = ${text}`, "a test");
  const right = einsums.at(-1)?.right;
  if (right === undefined) throw new Error("no Einsum");
  return right;
}

describe("the change of an expression when C becomes B", () => {
  // By hand: E(C) - E(B), or null where that is no multiple of C - B.
  it.each([
    ["A[m] * S[m]", "none"],
    ["exp(A[m])", "none"],
    ["exp(A[m], S[m])", "none"],
    ["max(A[m], S[m])", "none"],
    ["C[m]", "C[m] - B[m]"],
    ["C[m] + A[m]", "C[m] - B[m]"],
    ["A[m] + C[m]", "C[m] - B[m]"],
    ["C[m] - A[m]", "C[m] - B[m]"],
    ["A[m] - C[m]", "B[m] - C[m]"],
    ["C[m] + C[m]", "C[m] - B[m] + (C[m] - B[m])"],
    ["A[m] * C[m]", "A[m] * (C[m] - B[m])"],
    ["C[m] * A[m]", "(C[m] - B[m]) * A[m]"],
    ["(A[m] - C[m]) * S[m]", "(B[m] - C[m]) * S[m]"],
    ["C[m] / A[m]", "(C[m] - B[m]) / A[m]"],
    ["A[m] - C[m] / S[m]", "(B[m] - C[m]) / S[m]"],
    ["A[m] - S[m] * C[m]", "S[m] * (B[m] - C[m])"],
    ["A[m] - (C[m] + C[m]) * S[m]", "neg((C[m] - B[m] + (C[m] - B[m])) * S[m])"],
    ["A[m] / C[m]", null],
    ["C[m] * C[m]", null],
    ["C[m] / C[m]", null],
    ["max(C[m], A[m])", null],
    ["exp(C[m])", null],
    ["exp(A[m], C[m])", null],
    ["exp(C[m]) + A[m]", null],
    ["A[m] - exp(C[m])", null],
    ["exp(C[m]) * A[m]", null],
  ])("of %s is %s", (text, expected) => {
    const change = changeOf(parsed(text), parsed("C[m]"), parsed("B[m]"));
    expect(change && (change.kind === "none" ? "none" : formatExpression(change.amount))).toBe(expected);
  });
});

it.each([
  ["exp(C[m] * A[m])", "exp(B[m] * A[m])"],
  ["exp(A[m], C[m])", "exp(A[m], B[m])"],
  ["exp(C[m], C[m])", "exp(B[m], B[m])"],
  ["max(A[m], C[m]) + 2", "max(A[m], B[m]) + 2"],
])("B in place of C in %s is %s", (text, expected) => {
  expect(formatExpression(substitute(parsed(text), parsed("C[m]"), parsed("B[m]")))).toBe(expected);
});
