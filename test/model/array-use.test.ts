import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { noMask } from "../../src/attention/mask.js";
import { specFiles } from "../../src/io/spec-files.js";
import { arrayShares } from "../../src/model/array-shares.js";
import { type CompiledDesign, compileDesign } from "../../src/model/compile.js";
import { accountingOf } from "../../src/model/corrections.js";
import { costOfRun } from "../../src/model/cost.js";
import { evaluate } from "../../src/model/evaluate.js";
import { loadDesign } from "../../src/spec/load.js";

const names = ["fusemax", "architecture", "cascade", "flat", "unfused", "linear-flat"] as const;
/** The schedule has tests of its own (test/schedule), and takes its time. */
const accountings = [
  accountingOf("published", undefined),
  accountingOf(undefined, ["register-energy", "first-reads", "exp-cost", "partial-blocks"]),
];
const designs = new Map<string, CompiledDesign>();
function designOf(name: string, a: number): CompiledDesign {
  const known = designs.get(`${name} ${a}`);
  if (known !== undefined) return known;
  const patches = [
    { path: "architecture.parameters.rows", value: "@0" },
    { path: "architecture.parameters.columns", value: "@1" },
  ];
  const corrections = accountings[a]?.corrections ?? [];
  const made = compileDesign(loadDesign(specFiles, name), { corrections, patches, variables: 2 });
  designs.set(`${name} ${a}`, made);
  return made;
}

const size = (max: number) => fc.integer({ min: 1, max });
const cases = fc.record({
  name: fc.constantFrom(...names),
  accounting: fc.nat(1),
  B: size(2),
  H: size(3),
  group: size(4),
  queries: size(700),
  M: size(700),
  E: size(70),
  F: size(70),
  rows: size(64),
  columns: size(64),
  window: fc.option(fc.tuple(fc.integer({ min: -1, max: 300 }), fc.integer({ min: 0, max: 300 }))),
});

describe("an array's PE-cycles", () => {
  it("go into points that exist, which is its utilization, and into named losses, and into nothing else", () => {
    fc.assert(
      fc.property(cases, ({ name, accounting: a, rows, columns, window, ...sizes }) => {
        const mask =
          window === null || name === "linear-flat"
            ? undefined
            : {
                left: window[0],
                right: window[1],
                sequences: [{ count: sizes.B, queries: sizes.queries, keys: sizes.M }],
              };
        const accounting = accountings[a] as (typeof accountings)[number];
        const found = evaluate(
          designOf(name, a),
          { ...sizes, modelDim: 64, feedForward: 128 },
          accounting,
          [rows, columns],
          mask,
        );
        expect(Object.keys(found.use)).toEqual(expect.arrayContaining(["1d", "2d"]));
        for (const [array, use] of Object.entries(found.use)) {
          const { useful, masked, unfilled, dram, binding } = use;
          const shares = [useful, masked, ...Object.values(unfilled), dram, binding];
          for (const share of shares) expect(share, `${array} ${JSON.stringify(use)}`).toBeGreaterThanOrEqual(0);
          expect(shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 12);
          expect(found.utilization[array]).toBeCloseTo(useful, 12);
        }
        const einsums = Object.values(found.einsumUtilization).reduce((sum, share) => sum + share, 0);
        expect(einsums).toBeCloseTo(
          Object.values(found.utilization).reduce((sum, share) => sum + share, 0),
          12,
        );
      }),
      { numRuns: 1200 },
    );
  });

  it("are none, and have no use, where a mask hides every score", () => {
    // A causal mask whose corner is past all keys.
    const sequences = [{ count: 1, queries: 8, keys: 8 }];
    const hidden = { left: -1, right: 0, origin: -100, sequences };
    const sizes = { B: 1, H: 1, E: 4, F: 4, M: 8, queries: 8, group: 1, modelDim: 4, feedForward: 4 };
    const found = evaluate(designOf("fusemax", 1), sizes, accountings[1], [4, 4], hidden);
    const nothing = { useful: 0, masked: 0, unfilled: {}, dram: 0, binding: 0 };
    expect(found.cycles).toBe(0);
    expect(found.use).toEqual({ "1d": nothing, "2d": nothing });
    expect(found.utilization).toEqual({ "1d": 0, "2d": 0 });
    expect(new Set(Object.values(found.einsumUtilization))).toEqual(new Set([0]));
  });

  it("are given by the paper's names where a design has arrays so called", () => {
    const all = { "2d": 0.5, "1d": 0.25, other: 1 };
    expect(arrayShares(all)).toStrictEqual({ utilization: all, util2d: 0.5, util1d: 0.25 });
    expect(arrayShares({ other: 1 })).toStrictEqual({ utilization: { other: 1 } });
    expect(arrayShares({ "1d": 1 })).toStrictEqual({ utilization: { "1d": 1 }, util1d: 1 });
    expect(arrayShares({ "2d": 1 })).toStrictEqual({ utilization: { "2d": 1 }, util2d: 1 });
  });

  it("are less useful with one token more than a tile", () => {
    const design = loadDesign(specFiles, "fusemax");
    const util2d = (seq: number): number => {
      const shape = { batch: 1, heads: 1, queries: seq, keys: seq, headDim: 64, valueDim: 64 };
      return costOfRun(design, shape, { m0: 256, p0: 256 }, noMask).utilization["2d"] ?? 0;
    };
    expect(util2d(256)).toBeCloseTo(0.4776, 4);
    expect(util2d(257)).toBeCloseTo(0.203, 4);
  });

  it("stand idle on the cores that a last row leaves without one", () => {
    const design = compileDesign(loadDesign(specFiles, "test/model/multicore/design.yaml"));
    const sizes = { B: 1, H: 1, E: 64, F: 64, M: 1, modelDim: 64, feedForward: 64 };
    const found = [128, 129].map(queries =>
      evaluate(design, { ...sizes, queries }, accountingOf("published", undefined)),
    );
    expect(found.map(({ utilization }) => utilization["2d"])).toEqual([1, 129 / 160]);
    const words = found.map(({ counts }) =>
      counts[0]?.accesses.find(({ tensor }) => tensor === "X")?.levels.map(({ reads, fills }) => [reads, fills]),
    );
    // One core's: four, then five groups of eight rows, the fifth with one row; and one PE's registers.
    expect(words[0]).toEqual([
      [8192, 0],
      [8192, 8192],
      [131072, 2048],
      [16384, 16384],
    ]);
    expect(words[1]).toEqual([
      [8256, 0],
      [8256, 8256],
      [135168, 2112],
      [20480, 20480],
    ]);
  });
});
