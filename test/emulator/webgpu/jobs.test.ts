import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { noMask } from "../../../src/attention/mask.js";
import type { AttentionProblem } from "../../../src/attention/problem.js";
import { allRows, kvHeadOfRow } from "../../../src/attention/rows.js";
import { Twin } from "../../../src/emulator/twin.js";
import { countTiles, planBlocks } from "../../../src/emulator/webgpu/blocks.js";
import { planJobs } from "../../../src/emulator/webgpu/jobs.js";
import { phase } from "../../../src/emulator/webgpu/state.js";
import { formatArithmetics } from "../../../src/numerics/format-of.js";

const size = (max: number): fc.Arbitrary<number> => fc.integer({ min: 1, max });
const problems: fc.Arbitrary<AttentionProblem> = fc
  .record({
    batch: size(2),
    kvHeads: size(2),
    perGroup: size(3),
    queries: size(40),
    keys: size(90),
    m0: size(100),
    p0: size(50),
    left: fc.integer({ min: -1, max: 50 }),
    right: fc.integer({ min: -1, max: 50 }),
  })
  .map(({ batch, kvHeads, perGroup, queries, keys, m0, p0, left, right }) => ({
    shape: { batch, kvHeads, heads: kvHeads * perGroup, queries, keys, headDim: 8, valueDim: 8 },
    mask: { ...noMask, left, right },
    tile: { m0: Math.min(m0, keys), p0 },
    arithmetic: formatArithmetics.bf16,
    scale: 1,
  }));

describe("the plan of a request", () => {
  it("puts every row into one block, with rows of one key/value head only", () => {
    fc.assert(
      fc.property(problems, size(20), (problem, blockRows) => {
        const range = allRows(problem);
        const rows = planBlocks(problem, range, blockRows).blocks.flatMap(({ kvHead, row, count }) => {
          expect(count).toBeLessThanOrEqual(blockRows);
          expect(kvHeadOfRow(problem.shape, row)).toBe(kvHead);
          expect(kvHeadOfRow(problem.shape, row + count - 1)).toBe(kvHead);
          return Array.from({ length: count }, (_, i) => row + i);
        });
        expect(rows).toEqual(Array.from({ length: range.end }, (_, i) => i));
      }),
    );
  });

  it("takes every block through each of its keys once, in order, whatever the budget and the chunks", () => {
    const law = fc.property(problems, size(200), fc.integer({ min: 1, max: 1e6 }), (problem, chunkKeys, budget) => {
      const plan = planBlocks(problem, allRows(problem), 8);
      const limits = { chunkKeys: Math.max(8, chunkKeys), parallelBlocks: 3, budget: () => budget };
      // For each block the next key that its scores, and its values, wait for.
      const { m0 } = problem.tile;
      const next = plan.blocks.map(({ tileBegin }) => ({ scores: tileBegin * m0, values: tileBegin * m0 }));
      for (const job of planJobs(problem, plan, limits)) {
        const { chunk, keyBegin, keyEnd, phases } = job;
        expect(chunk.keyBegin % 8).toBe(0);
        expect(keyBegin >= chunk.keyBegin && keyEnd <= chunk.keyEnd && keyBegin < keyEnd).toBe(true);
        expect(chunk.kvHeadCount * Math.ceil((chunk.keyEnd - chunk.keyBegin) / 8) * 8 <= limits.chunkKeys).toBe(true);
        for (let n = job.blockBegin; n < job.blockBegin + job.blockCount; n += 1) {
          const { kvHead, tileBegin, tileEnd } = plan.blocks[n] as (typeof plan.blocks)[number];
          expect(kvHead >= chunk.kvHeadBegin && kvHead < chunk.kvHeadBegin + chunk.kvHeadCount).toBe(true);
          const begin = Math.max(keyBegin, tileBegin * m0);
          const end = Math.min(keyEnd, tileEnd * m0, problem.shape.keys);
          if (begin >= end) continue;
          const at = next[n] as (typeof next)[number];
          if ((phases & phase.scores) !== 0) {
            expect(at.scores).toBe(begin);
            at.scores = end;
          }
          if ((phases & phase.values) !== 0) {
            expect(at.values).toBe(begin);
            at.values = end;
            // The maximum of a tile is known before its weights.
            expect(at.scores).toBeGreaterThanOrEqual(Math.min(Math.ceil(end / m0) * m0, problem.shape.keys));
          }
        }
      }
      for (const [n, { tileBegin, tileEnd }] of plan.blocks.entries()) {
        const end = tileBegin < tileEnd ? Math.min(tileEnd * m0, problem.shape.keys) : tileBegin * m0;
        expect(next[n]).toEqual({ scores: end, values: end });
      }
    });
    fc.assert(law, { numRuns: 300 });
  });

  it("keeps a dispatch within the budget, down to eight keys of the fewest blocks", () => {
    const law = fc.property(problems, fc.integer({ min: 1000, max: 1e6 }), (problem, budget) => {
      const plan = planBlocks(problem, allRows(problem), 8);
      const least = 3 * 8 * 8 * (problem.shape.headDim + problem.shape.valueDim);
      const limits = { chunkKeys: 1000, parallelBlocks: 3, budget: () => budget };
      for (const { macs } of planJobs(problem, plan, limits)) expect(macs).toBeLessThanOrEqual(Math.max(budget, least));
    });
    fc.assert(law);
  });

  it("counts the tiles that the twin computes", () => {
    const law = fc.property(problems, size(60), (problem, rowsAtOnce) => {
      const { shape } = problem;
      const rows = allRows(problem).end;
      const twin = new Twin(problem, {
        q: new Float32Array(rows * shape.headDim),
        k: new Float32Array(shape.batch * shape.kvHeads * shape.keys * shape.headDim),
        v: new Float32Array(shape.batch * shape.kvHeads * shape.keys * shape.valueDim),
      });
      for (let start = 0; start < rows; start += shape.queries) {
        twin.rows({ start, end: start + shape.queries }, new Float32Array(shape.queries * shape.valueDim));
      }
      let tiles = 0;
      for (let start = 0; start < rows; start += rowsAtOnce) {
        tiles += countTiles(problem, { start, end: Math.min(rows, start + rowsAtOnce) });
      }
      expect(tiles).toBe(twin.tiles);
    });
    fc.assert(law);
  });
});
