import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { noMask } from "../../src/attention/mask.js";
import type { AttentionProblem } from "../../src/attention/problem.js";
import type { KeyMask } from "../../src/attention/sequences.js";
import { windowOf } from "../../src/attention/window.js";
import { specFiles } from "../../src/io/spec-files.js";
import type { EinsumCounts } from "../../src/model/action-counts.js";
import { compileDesign } from "../../src/model/compile.js";
import { accountingOf } from "../../src/model/corrections.js";
import { evaluate } from "../../src/model/evaluate.js";
import { formatArithmetics } from "../../src/numerics/format-of.js";
import { loadDesign } from "../../src/spec/load.js";
import { observe } from "../oracle/count.js";
import { countedEinsums } from "../oracle/count-observation.js";
import { makeOperands, masks } from "./arbitrary.js";

/**
 * Law: what the model predicts from the loop nest is what the emulator sees happen: every operation, every access of
 * every tensor at every level, every step of both arrays, exactly. A partial tile does and moves what exists and takes
 * as long as a whole one; sums begin without a read; the first tile counts as any other. The two sides share no code.
 */
const fusemax = loadDesign(specFiles, "fusemax");
/** All PEs are counted, and first reads are the true ones. */
const accounting = accountingOf(undefined, ["register-energy", "first-reads"]);
const compiled = compileDesign(fusemax, {
  corrections: accounting.corrections,
  patches: [
    { path: "architecture.parameters.rows", value: "@0" },
    { path: "architecture.parameters.columns", value: "@1" },
    { path: "mapping.symbols.queryTiles", value: "@2" },
    { path: "mapping.symbols.headTiles", value: "@3" },
  ],
  variables: 4,
});

interface Case {
  readonly problem: AttentionProblem;
  /** P1: query tiles to a block, of each head. */
  readonly queryTiles: number;
  /** G1: heads to a block, of those that share keys and have tiles of their own. */
  readonly headTiles: number;
}

const size = (max: number) => fc.integer({ min: 1, max });
/**
 * Widths are at least 2: with a width of 1 a PE that a partial tile leaves idle keeps its operand from one block of queries to the
 * next and never asks the buffer again. The emulator's buffer fetches what is asked for, the model's a whole tile.
 */
const cases: fc.Arbitrary<Case> = fc
  .record({
    batch: size(2),
    kvHeads: size(2),
    group: size(3),
    queries: size(14),
    keys: size(17),
    headDim: fc.integer({ min: 2, max: 4 }),
    valueDim: fc.integer({ min: 2, max: 4 }),
    m0: size(6),
    p0: size(6),
    queryTiles: size(3),
    headTiles: size(3),
  })
  .map(({ m0, p0, queryTiles, headTiles, group, ...shape }) => ({
    queryTiles,
    headTiles,
    problem: {
      shape: { ...shape, heads: shape.kvHeads * group },
      mask: noMask,
      tile: { m0, p0 },
      arithmetic: formatArithmetics.fp32,
      scale: 1,
    },
  }));

/** The same with masks and lengths, patterns among them. */
const maskedCases: fc.Arbitrary<Case> = cases.chain(({ problem, ...blocks }) => {
  const { keys, batch } = problem.shape;
  const some = <T>(values: fc.Arbitrary<T>) => fc.option(values, { nil: undefined, freq: 1 });
  return fc
    .record({
      mask: masks(problem.shape),
      origin: some(fc.integer({ min: -2, max: 5 })),
      prefix: some(fc.integer({ min: 0, max: keys })),
      leftPad: some(fc.array(fc.integer({ min: 0, max: keys }), { minLength: batch, maxLength: batch })),
    })
    .map(({ mask, origin, prefix, leftPad }) => ({
      ...blocks,
      problem: {
        ...problem,
        mask: {
          ...mask,
          ...(origin === undefined ? {} : { origin }),
          ...(prefix === undefined ? {} : { prefix }),
          ...(leftPad === undefined ? {} : { leftPad }),
        },
      },
    }));
});

/** What the model is told of a problem's mask. */
function maskOf({ shape, mask }: AttentionProblem): KeyMask {
  const sequences = Array.from({ length: shape.batch }, (_, b) => ({
    count: 1,
    queries: mask.qLens?.[b] ?? shape.queries,
    keys: mask.kvLens?.[b] ?? shape.keys,
    leftPad: mask.leftPad?.[b] ?? 0,
  }));
  return { ...windowOf(mask), sequences };
}

function predict({ problem, queryTiles, headTiles }: Case, mask?: KeyMask): readonly EinsumCounts[] {
  const { batch: B, kvHeads: H, heads, headDim: E, valueDim: F, keys: M } = problem.shape;
  // The longest sequence says whether heads are side by side.
  const lengths = mask?.sequences.flatMap(({ queries, keys }) => (keys === 0 ? [] : [queries]));
  const queries = lengths === undefined ? problem.shape.queries : Math.max(1, ...lengths);
  const sizes = { B, H, E, F, M, queries, modelDim: 1, feedForward: 1, group: heads / H };
  const { m0, p0 } = problem.tile;
  return evaluate(compiled, sizes, accounting, [m0, p0, queryTiles, headTiles], mask).counts;
}

/** Prediction and observation in one form: steps, operations, and words by tensor and level. */
const predicted = ({ iterations, operations, accesses, levels }: EinsumCounts) => ({
  steps: iterations,
  operations: { mac: 0, add: 0, max: 0, divide: 0, ...Object.fromEntries(operations.map(o => [o.name, o.count])) },
  accesses: Object.fromEntries(
    accesses.map(({ tensor, levels: at }) => [
      tensor,
      Object.fromEntries(at.map(({ level, ...words }) => [levels[level], words])),
    ]),
  ),
});

describe("predicted equals observed", () => {
  it("for every Einsum of FuseMax, on random shapes, tiles and blocks, heads that share keys included", () => {
    fc.assert(
      fc.property(cases, found => {
        const { problem, queryTiles, headTiles } = found;
        const operands = makeOperands(problem.shape, "fp32", "normal", 1);
        const { einsums } = observe(problem, operands, queryTiles, headTiles);
        const counts = predict(found);
        expect(counts.map(({ name }) => name).sort()).toEqual([...countedEinsums].sort());
        for (const count of counts) {
          expect(predicted(count), count.name).toEqual(einsums[count.name as (typeof countedEinsums)[number]]);
        }
      }),
      { numRuns: 400 },
    );
  });

  it("for masks, windows, lengths and decode", () => {
    fc.assert(
      fc.property(maskedCases, found => {
        const { problem, queryTiles, headTiles } = found;
        const { einsums } = observe(problem, makeOperands(problem.shape, "fp32", "normal", 1), queryTiles, headTiles);
        for (const count of predict(found, maskOf(problem))) {
          expect(predicted(count), count.name).toEqual(einsums[count.name as (typeof countedEinsums)[number]]);
        }
      }),
      { numRuns: 400 },
    );
  });

  it("on one tile, on exact tiles, and on one row or column too many", () => {
    for (const [queries, keys] of [
      [4, 4],
      [8, 12],
      [9, 13],
      [1, 1],
      [1, 13],
      [9, 1],
    ] as const) {
      const shape = { batch: 1, heads: 2, kvHeads: 2, queries, keys, headDim: 3, valueDim: 2 };
      const problem = { shape, mask: noMask, tile: { m0: 4, p0: 4 }, arithmetic: formatArithmetics.fp32, scale: 1 };
      const { einsums } = observe(problem, makeOperands(shape, "fp32", "normal", 1), 2);
      for (const count of predict({ problem, queryTiles: 2, headTiles: 1 })) {
        expect(predicted(count), count.name).toEqual(einsums[count.name as (typeof countedEinsums)[number]]);
      }
    }
  });
});
