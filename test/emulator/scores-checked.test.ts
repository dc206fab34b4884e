import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { noMask } from "../../src/attention/mask.js";
import type { AttentionProblem } from "../../src/attention/problem.js";
import { allRows } from "../../src/attention/rows.js";
import { check } from "../../src/emulator/check.js";
import { emulate } from "../../src/emulator/emulate.js";
import { logSumExp } from "../../src/emulator/log-sum-exp.js";
import { scoreMatrix } from "../../src/emulator/score-matrix.js";
import { formatArithmetics } from "../../src/numerics/format-of.js";
import { scoreCases } from "../properties/score-cases.js";

/**
 * fp32 sums of at most 40 terms, E2 within 2e-6, scores of at most 2^6 whose rounding moves the exponent by 2^6 * 2^-22:
 * together below 1e-4 of the largest value, which normal and tied inputs keep under 8.
 */
const tolerance = 8e-4;

describe("a check of scores with more done to them", () => {
  it("law: fp32 and its 3-pass baseline are near float64 attention, whatever mask, bias, soft-cap and sinks", async () => {
    await fc.assert(
      fc.asyncProperty(scoreCases("fp32", { kinds: ["normal", "ties"] }), async ({ problem: given, inputs }) => {
        // 1 - e has the grain of 1: a cap costs scores cap * 2^-22 or so.
        fc.pre((given.softcap ?? 0) <= 50);
        const { problem, operands, av, states = new Float32Array(0) } = await emulate(given, inputs);
        const rows = Array.from({ length: allRows(problem).end }, (_, row) => row);
        const { maxAbs, baseline, withInputRounding } = await check(problem, inputs, operands, av, rows);
        for (const error of [maxAbs, baseline?.maxAbs, withInputRounding.maxAbs]) expect(error).toBeLessThan(tolerance);
        // A row's log-sum-exp is that of its scores and its sink.
        const [lse, scores] = [logSumExp(problem, operands, states), scoreMatrix(problem, operands, "biased")];
        const shares = scoreMatrix(problem, operands, "softmax");
        const { keys, heads, queries } = problem.shape;
        for (const row of rows) {
          const own = scores.subarray(row * keys, (row + 1) * keys);
          const sink = inputs.sink?.[Math.floor(row / queries) % heads] ?? Number.NEGATIVE_INFINITY;
          const top = Math.max(sink, ...own);
          const all = [...own, sink].reduce((sum, x) => sum + Math.exp(x - top), 0);
          const expected = top === Number.NEGATIVE_INFINITY ? top : top + Math.log(all);
          if (Number.isFinite(expected)) expect(Math.abs((lse[row] as number) - expected)).toBeLessThan(tolerance);
          else expect(lse[row]).toBe(expected);
          for (const [m, x] of own.entries()) {
            const share = Number.isFinite(x) ? Math.exp(x - expected) : 0;
            expect(Math.abs((shares[row * keys + m] as number) - share)).toBeLessThan(tolerance);
          }
        }
      }),
      { numRuns: 60 },
    );
  });

  it("caps, then adds the bias, then hides", async () => {
    const problem: AttentionProblem = {
      shape: { batch: 1, heads: 1, kvHeads: 1, queries: 1, keys: 3, headDim: 1, valueDim: 1 },
      mask: noMask,
      tile: { m0: 2, p0: 1 },
      arithmetic: formatArithmetics.fp32,
      scale: 0.5,
      softcap: 2,
    };
    const [q, k, v] = [[4], [1, 2, 3], [1, 2, 4]].map(values => Float32Array.from(values));
    if (q === undefined || k === undefined || v === undefined) throw new Error("no inputs");
    const bias = { shape: [1, 3], values: Float32Array.of(1, -1, Number.NEGATIVE_INFINITY) };
    const { problem: own, operands, av } = await emulate(problem, { q, k, v, bias });
    const [a, b] = [2 * Math.tanh(1) + 1, 2 * Math.tanh(2) - 1];
    const expected = (1 * Math.exp(a) + 2 * Math.exp(b)) / (Math.exp(a) + Math.exp(b));
    expect(av[0]).toBeCloseTo(expected, 5);
    const near = (stage: Parameters<typeof scoreMatrix>[2]): number[] =>
      [...scoreMatrix(own, operands, stage)].map(x => Math.round(x * 1e4) / 1e4);
    expect(near("raw")).toEqual([2, 4, Number.NEGATIVE_INFINITY]);
    expect(near("capped")).toEqual([1.5232, 1.9281, Number.NEGATIVE_INFINITY]);
    expect(near("biased")).toEqual([2.5232, 0.9281, Number.NEGATIVE_INFINITY]);
  });
});
