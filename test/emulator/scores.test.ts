import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isEmpty } from "../../src/attention/key-range.js";
import { maskOf, noMask } from "../../src/attention/mask.js";
import { allRows } from "../../src/attention/rows.js";
import { cpuEngine } from "../../src/emulator/cpu.js";
import type { Engine } from "../../src/emulator/engine.js";
import { type GoldenResult, goldenAttention } from "../../src/emulator/golden/attention.js";
import { logSumExp } from "../../src/emulator/log-sum-exp.js";
import { prepare } from "../../src/emulator/prepare.js";
import { NumericsError } from "../../src/errors.js";
import { specFiles } from "../../src/io/spec-files.js";
import { formatNames } from "../../src/numerics/format.js";
import { formatArithmetics } from "../../src/numerics/format-of.js";
import { loadArithmetic } from "../../src/spec/load.js";
import { expectSameBits, runCase } from "../properties/run.js";
import { type ScoreCase, scoreCases } from "../properties/score-cases.js";
import { printingEngines } from "./engines.js";

/** The golden bits; null where a value leaves its range. */
function golden({ problem, inputs }: ScoreCase, kvSplits = 1): GoldenResult | null {
  // What the bias hides is in the mask twice, which changes nothing.
  try {
    return goldenAttention({ ...problem, kvSplits }, inputs);
  } catch (error) {
    if (error instanceof NumericsError) return null;
    throw error;
  }
}

/**
 * Masks of bits, patterns, biases, soft-caps and sinks: every engine gives the golden bits of AV, and of RM and RD where a
 * row has a key, and counts the tiles in which a query sees a key.
 */
describe.each(printingEngines)("scores on $name", ({ name, open, runs }) => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await open();
  }, 120_000);
  afterAll(() => engine.close());

  it.each(formatNames)("law: the golden bits in %s", async format => {
    await fc.assert(
      fc.asyncProperty(scoreCases(format), async given => {
        const expected = golden(given);
        const { av, states, overflowRow, tiles } = await runCase(engine, given, 7);
        if (expected === null) {
          expect(overflowRow).not.toBeNull();
          return;
        }
        expect(overflowRow).toBeNull();
        expectSameBits(av, expected.av);
        const mask = maskOf(given.problem);
        const { shape, tile } = given.problem;
        const touched = new Set<string>();
        for (let row = 0; row < allRows(given.problem).end; row += 1) {
          for (let m = 0; m < shape.keys; m += 1) {
            const [head, p] = [Math.floor(row / shape.queries), row % shape.queries];
            if (mask.sees(row, m)) touched.add(`${head} ${Math.floor(p / tile.p0)} ${Math.floor(m / tile.m0)}`);
          }
          if (isEmpty(mask.span(row))) continue;
          expectSameBits(states.subarray(2 * row, 2 * row + 2), expected.states.subarray(2 * row, 2 * row + 2));
        }
        if (tiles !== null) expect(tiles).toBe(touched.size);
      }),
      // A software adapter takes a second to compile each of the programs.
      { numRuns: name === "webgpu" ? 3 : 2 * runs },
    );
  });

  it.each([undefined, -1.5])("law: the log-sum-exp of a query without keys is its sink, or -inf (%s)", async sink => {
    const [shape, none] = [{ batch: 2, heads: 1, kvHeads: 1, queries: 3, keys: 5, headDim: 2, valueDim: 1 }, -Infinity];
    const [q, k, v] = [12, 20, 10].map(length => Float32Array.from({ length }, (_, i) => (i % 5) - 2));
    const inputs = {
      ...{ q: q as Float32Array, k: k as Float32Array, v: v as Float32Array },
      // The first query of each sequence sees nothing for its bias, all of the second sequence for its length.
      bias: { shape: [1, 1, 3, 1], values: Float32Array.of(none, 0.5, 0) },
      ...(sink === undefined ? {} : { sink: [sink] }),
    };
    const { problem, operands } = prepare(
      {
        ...{ shape, tile: { m0: 2, p0: 2 }, arithmetic: formatArithmetics.fp32, scale: 0.5, states: true },
        mask: { ...noMask, kvLens: [5, 0] },
      },
      inputs,
    );
    const { states } = await runCase(engine, { problem, operands });
    const lse = [...logSumExp(problem, operands, states)];
    const empty = sink ?? none;
    expect([0, 3, 4, 5].map(row => lse[row])).toEqual([empty, empty, empty, empty]);
    for (const row of [1, 2]) {
      const scores = [0, 1, 2, 3, 4].map(
        m => 0.5 * [0, 1].reduce((sum, e) => sum + (q?.[2 * row + e] ?? 0) * (k?.[2 * m + e] ?? 0), 0),
      );
      const all = scores.reduce((sum, x) => sum + Math.exp(x + (row === 1 ? 0.5 : 0)), Math.exp(empty));
      expect(Math.abs((lse[row] ?? 0) - Math.log(all))).toBeLessThan(1e-5);
    }
  });
});

/** The same in other arithmetics, on JavaScript, with keys in one run or more. */
describe("scores in any arithmetic", () => {
  it.each(["fa4-bf16", "fa3-fp8", "hopper-bf16", "mxfp8", "nvfp4"])("law: the golden bits in %s", async name => {
    const arithmetic = loadArithmetic(specFiles, name);
    await fc.assert(
      fc.asyncProperty(scoreCases("bf16"), fc.integer({ min: 1, max: 3 }), async (given, kvSplits) => {
        const asked = { ...given.problem, arithmetic, kvSplits };
        const { problem, operands } = prepare(asked, given.inputs);
        const expected = golden({ problem: asked, operands, inputs: given.inputs }, kvSplits);
        fc.pre(expected !== null);
        const { av, overflowRow } = await runCase(cpuEngine(), { problem, operands });
        expect(overflowRow).toBeNull();
        expectSameBits(av, expected?.av ?? []);
      }),
      { numRuns: 40 },
    );
  });
});
