import { describe, expect, it } from "vitest";
import { noMask } from "../../src/attention/mask.js";
import type { AttentionProblem } from "../../src/attention/problem.js";
import { Baseline } from "../../src/emulator/baseline.js";
import { check, countRows, sampleRows } from "../../src/emulator/check.js";
import { emulate } from "../../src/emulator/emulate.js";
import { ErrorStatistics } from "../../src/emulator/error-statistics.js";
import { generateNormal } from "../../src/emulator/generate.js";
import { roundOperands } from "../../src/emulator/operands.js";
import { formatNames } from "../../src/numerics/format.js";
import { formatArithmetics, requireFormat } from "../../src/numerics/format-of.js";
import { exponentFactor, processingElement } from "../../src/numerics/pe.js";
import { accumulatorRounder } from "../../src/numerics/rounding.js";
import { referenceRow } from "../../src/reference/attention.js";

const shape = { batch: 2, heads: 2, kvHeads: 1, queries: 12, keys: 40, headDim: 16, valueDim: 8 };
const problemIn = (arithmetic: AttentionProblem["arithmetic"]): AttentionProblem => ({
  shape,
  mask: noMask,
  tile: { m0: 16, p0: 8 },
  arithmetic,
  scale: 0.25,
});
const inputs = {
  q: generateNormal(5, "q", 2 * 2 * 12 * 16),
  k: generateNormal(5, "k", 2 * 40 * 16),
  v: generateNormal(5, "v", 2 * 40 * 8),
};

describe("error statistics", () => {
  it("are the largest, the root mean square, and where the worst element is", () => {
    const statistics = new ErrorStatistics();
    statistics.add(0, [1, 2], [1, 2]);
    statistics.add(17, [3, 4], [3, 1]);
    expect(statistics.summary()).toEqual({ maxAbs: 3, rms: Math.sqrt(9 / 4), rmsRelative: Math.sqrt(9 / 15) });
    expect(statistics.worst({ heads: 2, queries: 5 })).toEqual({ b: 1, h: 1, p: 2, f: 1, got: 4, expected: 1 });
  });
  it("call a NaN the worst element", () => {
    const statistics = new ErrorStatistics();
    statistics.add(0, [9, Number.NaN, 8], [1, 2, 1]);
    expect(statistics.summary().maxAbs).toBeNaN();
    expect(statistics.worst({ heads: 1, queries: 1 })?.f).toBe(1);
  });
});

describe("sampled rows", () => {
  it("are one from each stretch, the same every time, and never past a batch's queries", () => {
    const problem = { ...problemIn(formatArithmetics.bf16), mask: { ...noMask, qLens: [3, 12] } };
    const rows = sampleRows(problem, 10);
    expect(rows).toEqual(sampleRows(problem, 10));
    expect(rows).toEqual([...new Set(rows)].sort((a, b) => a - b));
    expect(rows.length).toBe(10);
    expect(countRows(problem)).toBe(30);
    for (const row of rows) expect(row >= 24 || row % 12 < 3).toBe(true);
    expect(sampleRows(problem)).toEqual([0, 1, 2, 12, 13, 14, ...Array.from({ length: 24 }, (_, i) => 24 + i)]);
  });
});

/** Root mean square errors to be expected here: a few units in the last place of the operand or, if it is coarser, the sum. */
const expectedError = { bf16: 2 ** -8, "bf16-strict": 2 ** -5, fp16: 2 ** -11, "fp16-strict": 2 ** -8, fp32: 2 ** -21 };

describe.each(formatNames)("check in %s", name => {
  const problem = problemIn(formatArithmetics[name]);
  it("finds errors of the size of the format, and the same for the baseline", async () => {
    const { av, operands } = await emulate(problem, inputs);
    const result = await check(problem, inputs, operands, av, sampleRows(problem));
    expect(result.checkedRows).toBe(48);
    expect(result.rmsRelative).toBeGreaterThan(0);
    expect(result.rmsRelative).toBeLessThan(2 * expectedError[name]);
    expect(result.baseline?.rmsRelative).toBeGreaterThan(0);
    expect(result.baseline?.rmsRelative).toBeLessThan(2 * expectedError[name]);
    expect(result.maxAbs).toBeGreaterThanOrEqual(result.rms);
    if (name === "fp32") expect(result.withInputRounding.rms).toBe(result.rms);
    else if (name === "bf16") expect(result.withInputRounding.rms).toBeGreaterThan(result.rms);
    const { b, h, p, f, got, expected } = result.worst ?? { b: 0, h: 0, p: 0, f: 0, got: 0, expected: 0 };
    expect(got).toBe(av[((b * 2 + h) * 12 + p) * 8 + f]);
    expect(Math.abs(got - expected)).toBe(result.maxAbs);
  });
});

describe("the baseline", () => {
  it.each(formatNames)(
    "law: in %s it has the bits of three passes written out, one operation of a PE after another",
    name => {
      const problem = { ...problemIn(formatArithmetics[name]), mask: { ...noMask, right: 0 } };
      const operands = roundOperands(inputs, shape, problem.arithmetic);
      const { q, k, v } = operands;
      const at = (x: Float32Array, i: number): number => x[i] as number;
      const pe = processingElement(requireFormat(problem.arithmetic, name));
      for (const row of [0, 13, 47]) {
        const firstKey = row < 24 ? 0 : shape.keys;
        const keys = Array.from({ length: (row % 12) + 29 }, (_, m) => firstKey + m);
        const dot = (m: number): number =>
          Array.from({ length: 16 }, (_, e) => e).reduce(
            (s, e) => pe.mac(s, at(q, row * 16 + e), at(k, m * 16 + e)),
            0,
          );
        const scores = keys.map(dot);
        const maximum = Math.max(...scores);
        const round = accumulatorRounder(problem.arithmetic.accumulator);
        const numerators = scores.map(s => round(pe.exp(pe.subtract(s, maximum), exponentFactor(0.25))));
        const denominator = numerators.reduce((sum, x) => pe.add(sum, x), 0);
        const weights = numerators.map(x => pe.operand(pe.div(x, denominator)));
        const expected = Array.from({ length: 8 }, (_, f) =>
          keys.reduce((s, m, i) => pe.mac(s, weights[i] as number, at(v, m * 8 + f)), 0),
        );
        expect([...new Baseline(problem, operands).row(row)], `row ${row}`).toEqual(expected);
      }
    },
  );
  it("is the 3-pass attention: in fp32 it agrees with float64 to the precision of fp32", () => {
    const problem = { ...problemIn(formatArithmetics.fp32), mask: { ...noMask, right: 0 } };
    const baseline = new Baseline(problem, inputs);
    for (const row of [0, 13, 47]) {
      const seen = { from: 0, to: (row % 12) + 29 };
      const exact = referenceRow(inputs, shape, 0.25, row, seen);
      for (const [f, x] of baseline.row(row).entries()) expect(Math.abs(x - (exact[f] ?? 0))).toBeLessThan(2 ** -20);
    }
  });
});
