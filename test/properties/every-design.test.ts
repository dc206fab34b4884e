import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { KeyMask } from "../../src/attention/sequences.js";
import { specFiles } from "../../src/io/spec-files.js";
import { countLaid, peStepsOf } from "../../src/model/action-counts.js";
import { type CompiledDesign, compileDesign } from "../../src/model/compile.js";
import { accountingOf } from "../../src/model/corrections.js";
import { mapDesign } from "../../src/model/evaluate.js";
import { observeDesign } from "../../src/report/observed-counts.js";
import { loadDesign } from "../../src/spec/load.js";

/**
 * Law: what the model predicts for a design, any of the paper's, is what a walk of its loops observes: steps, operations,
 * words of every tensor at every level, and what PEs are given in each step.
 */
const names = ["fusemax", "architecture", "cascade", "flat", "unfused"] as const;
const accounting = accountingOf(undefined, ["register-energy", "first-reads", "partial-blocks"]);
const patches = [
  { path: "architecture.parameters.rows", value: "@0" },
  { path: "architecture.parameters.columns", value: "@1" },
];
const designs = new Map<string, CompiledDesign>(
  names.map(name => [
    name,
    compileDesign(loadDesign(specFiles, name), { corrections: accounting.corrections, patches, variables: 2 }),
  ]),
);

const size = (max: number) => fc.integer({ min: 1, max });
const cases = fc.record({
  name: fc.constantFrom(...names),
  B: size(2),
  H: size(2),
  group: size(3),
  queries: size(9),
  M: size(10),
  E: size(3),
  F: size(3),
  rows: size(4),
  columns: size(4),
});
const masks = (B: number, queries: number, keys: number): fc.Arbitrary<KeyMask> =>
  fc.record({
    left: fc.integer({ min: -1, max: 6 }),
    right: fc.oneof(fc.constant(0), fc.integer({ min: -1, max: 6 })),
    sequences: fc.array(
      fc.record({
        count: fc.constant(1),
        queries: fc.integer({ min: 1, max: queries }),
        keys: fc.integer({ min: 1, max: keys }),
      }),
      { minLength: B, maxLength: B },
    ),
  });

function compare(
  { name, rows, columns, ...sizes }: Omit<typeof cases extends fc.Arbitrary<infer T> ? T : never, never>,
  mask?: KeyMask,
) {
  const design = designs.get(name) as CompiledDesign;
  const all = { ...sizes, modelDim: 4, feedForward: 4 };
  const mapped = mapDesign(design, all, accounting, [rows, columns], mask);
  for (const instances of ["all", "one"] as const) {
    const observed = observeDesign(design, mapped, instances);
    for (const laid of mapped.einsums) {
      const options = { allInstances: instances === "all", overflow: false };
      const counts = countLaid(design, laid, mapped.values, options);
      const { useful, masked, unfilled } = peStepsOf(design, laid, mapped.values);
      const predicted = {
        steps: counts.iterations,
        points: counts.points,
        operations: Object.fromEntries(counts.operations.map(({ name, count }) => [name, count])),
        accesses: Object.fromEntries(
          counts.accesses.map(({ tensor, levels }) => [
            tensor,
            Object.fromEntries(levels.map(({ level, ...words }) => [counts.levels[level], words])),
          ]),
        ),
        peSteps: { useful, masked, unfilled: Object.fromEntries(unfilled.map(({ level, steps }) => [level, steps])) },
      };
      expect(predicted, `${name} ${laid.einsum.name} ${instances}`).toEqual(observed[laid.einsum.name]);
    }
  }
}

describe("predicted equals observed, for the paper's five designs", () => {
  it("on random shapes and arrays", () => {
    fc.assert(
      fc.property(cases, found => compare(found)),
      { numRuns: 300 },
    );
  });

  it("for masks, windows, lengths and decode", () => {
    fc.assert(
      fc.property(
        cases.chain(found => fc.tuple(fc.constant(found), masks(found.B, found.queries, found.M))),
        ([found, mask]) => compare(found, mask),
      ),
      { numRuns: 300 },
    );
  });
});
