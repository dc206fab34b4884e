import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { observe } from "../../src/emulator/count.js";
import { countedEinsums } from "../../src/emulator/count-storage.js";
import { type AttentionProblem, noMask } from "../../src/emulator/problem.js";
import { specFiles } from "../../src/io/spec-files.js";
import type { EinsumCounts } from "../../src/model/action-counts.js";
import { compileDesign } from "../../src/model/compile.js";
import { accountingOf } from "../../src/model/corrections.js";
import { evaluate } from "../../src/model/evaluate.js";
import type { VisibleRegion } from "../../src/model/visible-region.js";
import { formats } from "../../src/numerics/format.js";
import { loadDesign } from "../../src/spec/load.js";
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
  ],
  variables: 3,
});

interface Case {
  readonly problem: AttentionProblem;
  /** P1: query tiles to a block. */
  readonly queryTiles: number;
}

const size = (max: number) => fc.integer({ min: 1, max });
/**
 * Widths are at least 2: with a width of 1 a PE that a partial tile leaves idle keeps its operand from one block of queries to the
 * next and never asks the buffer again. The emulator's buffer fetches what is asked for, the model's a whole tile.
 */
const cases: fc.Arbitrary<Case> = fc
  .record({
    batch: size(2),
    heads: size(2),
    queries: size(14),
    keys: size(17),
    headDim: fc.integer({ min: 2, max: 4 }),
    valueDim: fc.integer({ min: 2, max: 4 }),
    m0: size(6),
    p0: size(6),
    queryTiles: size(3),
  })
  .map(({ m0, p0, queryTiles, ...shape }) => ({
    queryTiles,
    problem: {
      shape: { ...shape, kvHeads: shape.heads },
      mask: noMask,
      tile: { m0, p0 },
      format: formats.fp32,
      scale: 1,
    },
  }));

/** The same with heads that share keys, masks and lengths. */
const maskedCases: fc.Arbitrary<Case> = cases.chain(({ queryTiles, problem }) =>
  fc.integer({ min: 1, max: 3 }).chain(group => {
    const shape = { ...problem.shape, heads: problem.shape.kvHeads * group };
    return masks(shape).map(mask => ({ queryTiles, problem: { ...problem, shape, mask } }));
  }),
);

/** What the model is told of a problem's mask. */
function regionOf({ shape, mask }: AttentionProblem): VisibleRegion {
  const sequences = Array.from({ length: shape.batch }, (_, b) => ({
    count: 1,
    queries: mask.qLens?.[b] ?? shape.queries,
    keys: mask.kvLens?.[b] ?? shape.keys,
  }));
  return { group: shape.heads / shape.kvHeads, left: mask.left, right: mask.right, sequences };
}

function predictMasked({ problem, queryTiles }: Case): readonly EinsumCounts[] {
  const { batch: B, kvHeads: H, heads, headDim: E, valueDim: F, keys: M, queries } = problem.shape;
  const G = heads / H;
  const sizes = { B, H, E, F, M, P: queries * G, modelDim: 1, feedForward: 1, G };
  const { m0, p0 } = problem.tile;
  return evaluate(compiled, sizes, accounting, [m0, p0, queryTiles], regionOf(problem)).counts;
}

function predict({ problem: { shape, tile }, queryTiles }: Case): readonly EinsumCounts[] {
  const { batch: B, heads: H, headDim: E, valueDim: F, keys: M, queries: P } = shape;
  const sizes = { B, H, E, F, M, P, modelDim: 1, feedForward: 1 };
  return evaluate(compiled, sizes, accounting, [tile.m0, tile.p0, queryTiles]).counts;
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
  it("for every Einsum of FuseMax, on random shapes, tiles and blocks", () => {
    fc.assert(
      fc.property(cases, found => {
        const { problem, queryTiles } = found;
        const operands = makeOperands(problem.shape, "fp32", "normal", 1);
        const { einsums } = observe(problem, operands, queryTiles);
        const counts = predict(found);
        expect(counts.map(({ name }) => name).sort()).toEqual([...countedEinsums].sort());
        for (const count of counts) {
          expect(predicted(count), count.name).toEqual(einsums[count.name as (typeof countedEinsums)[number]]);
        }
      }),
      { numRuns: 400 },
    );
  });

  it("for masks, windows, lengths, decode and heads that share keys", () => {
    fc.assert(
      fc.property(maskedCases, found => {
        const { problem, queryTiles } = found;
        const { einsums } = observe(problem, makeOperands(problem.shape, "fp32", "normal", 1), queryTiles);
        for (const count of predictMasked(found)) {
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
      const problem = { shape, mask: noMask, tile: { m0: 4, p0: 4 }, format: formats.fp32, scale: 1 };
      const { einsums } = observe(problem, makeOperands(shape, "fp32", "normal", 1), 2);
      for (const count of predict({ problem, queryTiles: 2 })) {
        expect(predicted(count), count.name).toEqual(einsums[count.name as (typeof countedEinsums)[number]]);
      }
    }
  });
});
