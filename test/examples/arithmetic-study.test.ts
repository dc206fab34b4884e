import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { attend } from "../../examples/arithmetic-study/head.js";
import { normalHead, outlierHead, sinkHead } from "../../examples/arithmetic-study/inputs.js";
import { fullPlan, load, m0, shown } from "../../examples/arithmetic-study/part.js";
import { exp2Coefficients, largestError } from "../../examples/arithmetic-study/polynomial.js";
import { rescalesOf } from "../../examples/arithmetic-study/rescales.js";
import { companyFindings } from "../../examples/arithmetic-study/splits-part.js";
import { parseCsv } from "../../src/io/csv.js";

/** Law: what docs/arithmetic-study.md says is what its command computes; some of it is computed again here. */
const folder = new URL("../../docs/arithmetic-study/", import.meta.url);
const page = readFileSync(new URL("../../docs/arithmetic-study.md", import.meta.url), "utf8");
const size = { queries: fullPlan.rows, keys: fullPlan.keys };

/** The number in a column of the one row of a CSV that has these cells. */
function kept(file: string, cells: Readonly<Record<string, string | number>>, column: string): number {
  const { columns, rows } = parseCsv(readFileSync(new URL(`${file}.csv`, folder), "utf8"));
  const cell = (row: readonly string[], name: string): string => row[columns.indexOf(name)] ?? "";
  const found = rows.filter(row => Object.entries(cells).every(([name, value]) => cell(row, name) === String(value)));
  expect(found, JSON.stringify(cells)).toHaveLength(1);
  return Number(cell(found[0] as string[], column));
}

describe("the study of arithmetics", () => {
  it("keeps the errors that it computes", async () => {
    const fp8 = load("fa4-fp8");
    const spread4 = normalHead(size, 4);
    for (const [threshold, offset] of [
      [4, 8],
      [0.75, 8],
    ] as const) {
      const { onOperands, saturated } = await attend({ ...fp8, threshold, offset }, spread4, { m0 });
      const at = { input: "normal", x: 4, threshold, offset };
      expect(onOperands).toBe(kept("threshold", at, "error"));
      expect(saturated).toBe(kept("threshold", at, "saturated"));
      expect(page).toContain(shown(onOperands));
    }
    const sink = await attend({ ...load("fa3-fp8"), dot: "chain", offset: 0 }, sinkHead(size, 16), { m0 });
    expect(sink.onOperands).toBe(kept("sink", { above: 16, variant: "ascending, offset 0" }, "error"));
    const smoothed = await attend(load("int8-qk"), outlierHead(size, 32), { m0 });
    const outliers = { input: "outlier channels of K, 32 sigma", format: "int8-qk", smooth: "keys" };
    expect(smoothed.onInputs).toBe(kept("smoothing", outliers, "error"));
  }, 120_000);

  it("keeps how often maxima follow", () => {
    const head = normalHead({ queries: 256, keys: fullPlan.longest });
    for (const { threshold, queries, blocks } of rescalesOf(head, 256, [0, 2])) {
      const at = { input: head.name, threshold };
      expect([queries, blocks]).toEqual([kept("rescales", at, "queries"), kept("rescales", at, "blocks")]);
    }
  });

  it("fits polynomials of 2^f that begin with 1 and gain more than a digit a degree", () => {
    const errors = [1, 2, 3, 4, 5].map(degree => largestError(exp2Coefficients(degree)));
    errors.slice(1).forEach((error, i) => {
      expect(error).toBeLessThan((errors[i] as number) / 10);
    });
    expect(exp2Coefficients(3)[0]).toBe(0x3f800000);
    // FlashAttention-4's own cubic is of the same kind, and a little better balanced.
    expect(largestError(load("fa4-bf16").exp.coefficients)).toBeLessThan(errors[2] as number);
  });

  it("finds no bit that depends on P0, the batch, other queries or the engine", async () => {
    for (const { arithmetic, ...changed } of await companyFindings({ rows: 4, keys: 384, longest: 0 })) {
      expect({ arithmetic, ...changed }).toEqual({ arithmetic, p0: 0, batch: 0, queries: 0, engines: 0 });
    }
  });
});
