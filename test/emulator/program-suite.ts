import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { batchOf, headOf } from "../../src/attention/rows.js";
import type { Engine } from "../../src/emulator/engine.js";
import { interpretOutput } from "../../src/emulator/interpreter.js";
import { cascadeOf } from "../../src/emulator/program-of.js";
import { NumericsError } from "../../src/errors.js";
import { formatNames } from "../../src/numerics/format.js";
import { type Case, cases } from "../properties/arbitrary.js";
import { expectSameBits, runCase } from "../properties/run.js";
import { attentionCascades, otherCascades } from "./cascades.js";
import type { TestedEngine } from "./engines.js";

/** The golden bits of all rows; null from the first row on in which a value left its range. */
function interpreted({ problem, operands }: Case): (Float32Array | null)[] {
  const cascade = cascadeOf(problem);
  if (cascade === null) throw new Error("no cascade");
  const { batch, heads, queries } = problem.shape;
  return Array.from({ length: batch * heads * queries }, (_, row) => {
    try {
      return interpretOutput(problem, cascade, operands, row);
    } catch (error) {
      if (error instanceof NumericsError) return null;
      throw error;
    }
  });
}

/** The suite of an engine: every cascade in every format, whatever mask, shape and tile, against the interpreter. */
export function programSuite({ name, open, runs }: TestedEngine): void {
  let engine: Engine;
  beforeAll(async () => {
    engine = await open();
  }, 120_000);
  afterAll(() => engine.close());

  // A software adapter takes a second to compile a pass.
  const all = name === "webgpu" ? attentionCascades : [...attentionCascades, ...otherCascades];
  describe.each(all)(`$name on ${name}`, cascade => {
    it.each(formatNames)("gives the interpreter's bits in %s, whatever mask, shape and tile", async format => {
      await fc.assert(
        fc.asyncProperty(cases({ formats: [format], dim: 9, keys: 24, queries: 9 }), async given => {
          const one = { ...given, problem: { ...given.problem, cascade } };
          const golden = interpreted(one);
          const { av, overflowRow } = await runCase(engine, one);
          const bad = golden.indexOf(null);
          expect(overflowRow).toBe(bad === -1 ? null : bad);
          const { valueDim, queries } = one.problem.shape;
          for (const [row, wanted] of golden.entries()) {
            if (wanted === null) return;
            const place = `batch ${batchOf(one.problem.shape, row)}, head ${headOf(one.problem.shape, row)}, query ${row % queries}`;
            expectSameBits(av.subarray(row * valueDim, (row + 1) * valueDim), wanted, place);
          }
        }),
        { numRuns: runs },
      );
    });
  });
}
