import { describe, expect, it } from "vitest";
import { type Masked, maskOf, noMask } from "../../src/attention/mask.js";
import type { AttentionProblem } from "../../src/attention/problem.js";
import { rowAt } from "../../src/attention/rows.js";
import { rowsWithoutKeys, visibleScores } from "../../src/attention/visible.js";
import { validateProblem } from "../../src/emulator/validate.js";
import { formatArithmetics } from "../../src/numerics/format-of.js";

const shape = { batch: 2, heads: 4, kvHeads: 2, queries: 5, keys: 7, headDim: 3, valueDim: 4 };
const good: AttentionProblem = {
  shape,
  mask: noMask,
  tile: { m0: 3, p0: 2 },
  arithmetic: formatArithmetics.bf16,
  scale: 0.5,
};

describe("validateProblem", () => {
  it("takes what the contract allows", () => {
    expect(() => validateProblem(good)).not.toThrow();
    expect(() =>
      validateProblem({ ...good, scale: 2 ** -12, mask: { ...noMask, kvLens: [7, 0], qLens: [5, 1] } }),
    ).not.toThrow();
  });
  it.each([
    [{ ...good, shape: { ...shape, queries: 0 } }, "queries: got 0; expected an integer of at least 1"],
    [{ ...good, shape: { ...shape, keys: 1.5 } }, "keys: got 1.5; expected an integer of at least 1"],
    [{ ...good, shape: { ...shape, headDim: 8193 } }, "headDim: got 8193; expected an integer from 1 to 8192"],
    [{ ...good, shape: { ...shape, kvHeads: 3 } }, "kvHeads: got 3; expected a divisor of the 4 query heads"],
    [{ ...good, shape: { ...shape, keys: 2 ** 50 } }, "K: got 13510798882111488 values; expected at most 2^53"],
    [{ ...good, tile: { m0: -1, p0: 2 } }, "tile.m0: got -1; expected an integer of at least 1"],
    [{ ...good, scale: 5000 }, "scale: got 5000; expected a number from 2^-12 to 2^12"],
    [{ ...good, scale: Number.NaN }, "scale: got NaN; expected a number from 2^-12 to 2^12"],
    [
      { ...good, mask: { ...noMask, left: -2 } },
      "window left: got -2; expected an integer of at least 0, or -1 for unbounded",
    ],
    [{ ...good, mask: { ...noMask, kvLens: [7] } }, "kvLens: got 1 length; expected one for each of 2 batches"],
    [
      { ...good, mask: { ...noMask, qLens: [5, 6] } },
      "qLens[1]: got 6; expected an integer from 0 to 5, the queries in the tensor",
    ],
  ] as const)("refuses $1", (problem, message) => {
    expect(() => validateProblem(problem)).toThrow(message);
  });
});

/** What query p of batch b sees, of its last head. */
const visibleKeys = (problem: Masked, b: number, p: number) =>
  maskOf(problem).span(rowAt(problem.shape, { b, h: problem.shape.heads - 1, p }));

describe("visible keys", () => {
  it("align to the end: query p stands at p + M - P", () => {
    const causal = { ...good, mask: { ...noMask, right: 0 } };
    expect([0, 1, 4].map(p => visibleKeys(causal, 0, p))).toEqual([
      { from: 0, to: 3 },
      { from: 0, to: 4 },
      { from: 0, to: 7 },
    ]);
    const window = { ...good, mask: { ...noMask, left: 1, right: 2 } };
    expect(visibleKeys(window, 0, 0)).toEqual({ from: 1, to: 5 });
    expect(visibleKeys(window, 0, 4)).toEqual({ from: 5, to: 7 });
  });
  it("use each batch's own lengths", () => {
    const lengths = { ...good, mask: { left: -1, right: 0, kvLens: [7, 2], qLens: [5, 4] } };
    expect(visibleKeys(lengths, 1, 0)).toEqual({ from: 0, to: 0 });
    expect(visibleKeys(lengths, 1, 2)).toEqual({ from: 0, to: 1 });
    expect(visibleKeys(lengths, 1, 4)).toEqual({ from: 0, to: 0 });
    expect(rowsWithoutKeys(lengths)).toBe(2 * 4);
    expect(visibleScores(lengths)).toBe(4 * (3 + 4 + 5 + 6 + 7 + 1 + 2));
  });
});
