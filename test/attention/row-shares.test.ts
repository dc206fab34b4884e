import fc from "fast-check";
import { expect, it } from "vitest";
import { maskOf, noMask } from "../../src/attention/mask.js";
import { rowsOfShare } from "../../src/attention/row-shares.js";
import { allRows } from "../../src/attention/rows.js";

it("law: parts of a problem's rows follow each other, cover all, and cost alike to a row", () => {
  const problems = fc.record({
    batch: fc.integer({ min: 1, max: 2 }),
    heads: fc.integer({ min: 1, max: 3 }),
    queries: fc.integer({ min: 1, max: 2500 }),
    keys: fc.integer({ min: 1, max: 4000 }),
    right: fc.constantFrom(-1, 0),
    left: fc.constantFrom(-1, 100),
    m0: fc.constantFrom(1, 256),
    count: fc.integer({ min: 1, max: 20 }),
  });
  fc.assert(
    fc.property(problems, ({ batch, heads, queries, keys, left, right, m0, count }) => {
      const shape = { batch, heads, kvHeads: heads, queries, keys, headDim: 1, valueDim: 1 };
      const problem = { shape, mask: { ...noMask, left, right }, tile: { m0, p0: 1 } };
      const parts = Array.from({ length: count }, (_, i) => rowsOfShare(problem, i, count));
      expect(parts[0]?.start).toBe(0);
      expect(parts.at(-1)?.end).toBe(allRows(problem).end);
      expect(parts.slice(1).map(({ start }) => start)).toEqual(parts.slice(0, -1).map(({ end }) => end));
      const mask = maskOf(problem);
      const costs = parts.map(({ start, end }) => {
        let cost = 0;
        for (let row = start; row < end; row += 1) cost += mask.count(row) + m0;
        return cost;
      });
      const mean = costs.reduce((sum, cost) => sum + cost, 0) / count;
      // Each boundary is off by half of a row at most.
      for (const cost of costs) expect(Math.abs(cost - mean)).toBeLessThanOrEqual(keys + m0);
    }),
    { numRuns: 50 },
  );
});
