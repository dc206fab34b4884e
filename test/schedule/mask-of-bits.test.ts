import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { noScoreTerms } from "../../src/attention/score-terms.js";
import { type KeyMask, keysOfRow, rowBits } from "../../src/attention/sequences.js";
import { specFiles } from "../../src/io/spec-files.js";
import { compileDesign } from "../../src/model/compile.js";
import { accountingOf } from "../../src/model/corrections.js";
import { evaluate } from "../../src/model/evaluate.js";
import { simulateDesign } from "../../src/model/schedule/simulate-design.js";
import { loadDesign } from "../../src/spec/load.js";
import { designWithTerms } from "../../src/spec/score-terms/design.js";

// Laws of the walk over a mask of bits: it has the tiles that some query sees and no other, and leaps over nothing of them.

const accounting = accountingOf("corrected", undefined);
const side = 4;
const patches = [
  { path: "architecture.parameters.rows", value: side },
  { path: "architecture.parameters.columns", value: side },
  { path: "mapping.symbols.queryTiles", value: 3 },
];
const fusemax = loadDesign(specFiles, "fusemax");
const bias = { batch: false, heads: true, queries: true, keys: true };
// A bias is loaded tile by tile; a soft-cap goes to the other array and back.
const designs = [noScoreTerms, { softcap: "divider", bias } as const].map(terms =>
  compileDesign(designWithTerms(fusemax, terms).design, { corrections: accounting.corrections, patches }),
);

interface Case {
  readonly rows: readonly number[];
  readonly keys: number;
  readonly batch: number;
  /** Heads that share keys: side by side where their queries do not fill the columns, else with tiles of their own. */
  readonly group: number;
}

/** Rows as bits; many are of few keys, or of none, so that whole tiles are seen by nobody. */
const cases: fc.Arbitrary<Case> = fc.record({
  rows: fc.array(
    fc.oneof(
      fc.nat(2 ** 26),
      fc.constant(0),
      fc.nat(25).map(m => 1 << m),
    ),
    { minLength: 1, maxLength: 30 },
  ),
  keys: fc.integer({ min: 1, max: 26 }),
  batch: fc.integer({ min: 1, max: 2 }),
  group: fc.integer({ min: 1, max: 3 }),
});

function attention({ rows, keys, batch, group }: Case) {
  const inside = 2 ** keys - 1;
  const bits = rowBits((row, w, side) => (w > 0 ? 0 : ((rows[Math.floor(row / side)] ?? 0) & inside) >>> 0));
  const mask: KeyMask = { left: -1, right: -1, sequences: [{ count: batch, queries: rows.length, keys, bits }] };
  const sizes = { B: batch, H: 1, E: 3, F: 2, M: keys, queries: rows.length, modelDim: 3, feedForward: 12, group };
  return { mask, sizes };
}

/** Tiles in which some query sees some key. */
function tilesOf({ rows, batch, group }: Case, { sequences, ...window }: KeyMask): number {
  const packed = rows.length < side ? group : 1;
  const seen = new Set<string>();
  for (const sequence of sequences) {
    for (let row = 0; row < rows.length * packed; row++) {
      for (const { from, to } of keysOfRow(window, sequence, row, packed)) {
        for (let key = from; key < to; key++) seen.add(`${Math.floor(row / side)} ${Math.floor(key / side)}`);
      }
    }
  }
  return batch * (group / packed) * seen.size;
}

describe.each([
  ["FuseMax", designs[0]],
  ["with a soft-cap and a bias", designs[1]],
] as const)("a schedule under a mask of bits, %s", (_, compiled) => {
  it("law: its tiles are those that some query sees, and its arrays work as long as the model counts", () => {
    fc.assert(
      fc.property(cases, own => {
        if (compiled === undefined) throw new Error("no design");
        const { mask, sizes } = attention(own);
        fc.pre(tilesOf(own, mask) > 0);
        const { counts } = evaluate(compiled, sizes, accounting, [], mask);
        for (const memory of ["ideal", "dram"] as const) {
          const simulated = simulateDesign(compiled, { sizes, mask }, { memory });
          expect(simulated.tiles).toBe(tilesOf(own, mask));
          for (const { name, array, cycles } of counts) {
            const busy = simulated.arrays[array]?.busy[name] ?? Number.NaN;
            // A lane divides for all keys of a tile, one after the other; the model counts those that some query sees.
            if (name === "CR") expect(busy).toBeGreaterThanOrEqual(cycles);
            else expect(busy, name).toBe(cycles);
          }
        }
      }),
      { numRuns: 40 },
    );
  });

  it("law: steps that are known are what they are when each is run", () => {
    fc.assert(
      fc.property(cases, own => {
        if (compiled === undefined) throw new Error("no design");
        const { mask, sizes } = attention(own);
        fc.pre(tilesOf(own, mask) > 0);
        for (const memory of ["ideal", "dram"] as const) {
          const [leapt, stepped] = [true, false].map(leap =>
            simulateDesign(compiled, { sizes, mask }, { memory, leap }),
          );
          expect(leapt?.latencyCycles).toBe(stepped?.latencyCycles);
          expect(leapt?.dramBytes).toBe(stepped?.dramBytes);
          expect(leapt?.arrays).toEqual(stepped?.arrays);
        }
      }),
      { numRuns: 30 },
    );
  });
});
