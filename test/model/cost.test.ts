import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { noMask } from "../../src/attention/mask.js";
import { specFiles } from "../../src/io/spec-files.js";
import { accountingOf } from "../../src/model/corrections.js";
import { costOfRun } from "../../src/model/cost.js";
import { loadArithmetic, loadDesign } from "../../src/spec/load.js";

const design = loadDesign(specFiles, "fusemax");

describe("the cost of a run", () => {
  it("is the binding's cycles per tile, partial tiles charged whole", () => {
    fc.assert(
      fc.property(
        fc.record({
          batch: fc.integer({ min: 1, max: 4 }),
          kvHeads: fc.integer({ min: 1, max: 4 }),
          group: fc.integer({ min: 1, max: 4 }),
          queries: fc.integer({ min: 1, max: 2000 }),
          keys: fc.integer({ min: 1, max: 2000 }),
          headDim: fc.integer({ min: 1, max: 100 }),
          valueDim: fc.integer({ min: 1, max: 100 }),
        }),
        fc.record({ m0: fc.integer({ min: 1, max: 256 }), p0: fc.integer({ min: 1, max: 256 }) }),
        ({ group, ...sizes }, tile) => {
          const shape = { ...sizes, heads: sizes.kvHeads * group };
          const { batch, kvHeads, heads, queries, keys, headDim: e, valueDim: f } = shape;
          const m1 = Math.ceil(keys / tile.m0);
          // Heads that share keys are side by side where the queries of one do not fill the columns.
          const [apart, rows] = queries < tile.p0 ? [kvHeads, queries * group] : [heads, queries];
          const tiles = batch * apart * m1 * Math.ceil(rows / tile.p0);
          const cycles = tiles * (Math.max(e + 1, 1 + f + f / m1) + 1 + 8 + f);
          const cost = costOfRun(design, shape, tile);
          expect(cost.busyCycles).toBeCloseTo(cycles, 5);
          expect(cost.cycles).toBeCloseTo(cost.seconds * 940e6, 5);
          expect(cost.seconds).toBeCloseTo(Math.max(cycles / 940e6, cost.dramBytes / (400 * 2 ** 30)), 12);
        },
      ),
    );
  });

  it("law: a sequence that is all padding costs what one without keys does, nothing", () => {
    const shape = { batch: 2, heads: 2, queries: 5, keys: 9, headDim: 4, valueDim: 4 };
    const costOf = (kvLens: readonly number[], leftPad: readonly number[]): unknown =>
      costOfRun(design, shape, { m0: 4, p0: 4 }, { ...noMask, kvLens, leftPad });
    expect(costOf([7, 9], [7, 2])).toEqual(costOf([0, 9], [0, 2]));
    expect(costOf([7, 9], [7, 9])).toEqual(costOf([0, 0], [0, 0]));
  });

  it("reads Q once, writes AV once and reads keys and values once per block of queries", () => {
    const shape = { batch: 1, heads: 1, queries: 256, keys: 1024, headDim: 64, valueDim: 64 };
    const { dramBytes } = costOfRun(design, shape, { m0: 256, p0: 256 });
    expect(dramBytes).toBe(2 * (256 * 64 * 2 + 1024 * 64 * 2));
  });

  it("reads shared keys and values once for all query heads, side by side on the columns or not", () => {
    for (const queries of [1, 100, 256, 300]) {
      const shape = { batch: 1, heads: 4, kvHeads: 1, queries, keys: 1024, headDim: 64, valueDim: 64 };
      const { dramBytes } = costOfRun(design, shape, { m0: 256, p0: 256 });
      expect(dramBytes).toBe(2 * (4 * queries * 64 * 2 + 1024 * 64 * 2));
    }
  });

  it("has no energy where the technology lacks an operator, and says of its own figures that this one is missing", () => {
    const shape = { batch: 1, heads: 2, queries: 64, keys: 64, headDim: 8, valueDim: 8 };
    const corrected = accountingOf("corrected", undefined);
    const arithmetic = { ...design.arithmetic, data: loadArithmetic(specFiles, "fa4-fp8") };
    const narrow = costOfRun({ ...design, arithmetic, arithmeticBy: "command" }, shape, undefined, undefined, {
      accounting: corrected,
    });
    expect(narrow.missing).toEqual(["energyPj"]);
    expect(narrow).not.toHaveProperty("energyPj");
    const usual = costOfRun(design, shape, undefined, undefined, { accounting: corrected });
    expect(usual.missing).toEqual([]);
    expect(usual.energyPj).toBeGreaterThan(0);
  });
});
