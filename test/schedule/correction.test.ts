import { describe, expect, it } from "vitest";
import type { KeyMask } from "../../src/attention/sequences.js";
import { specFiles } from "../../src/io/spec-files.js";
import { compileDesign } from "../../src/model/compile.js";
import { scheduledCycles } from "../../src/model/schedule/correction.js";
import { findLags } from "../../src/model/schedule/lags.js";
import { scheduleOfDesign } from "../../src/model/schedule/of-design.js";
import { simulateSchedule } from "../../src/model/schedule/simulate.js";
import { valuesOf } from "../../src/model/values.js";
import { loadDesign } from "../../src/spec/load.js";
import { fusemaxWith } from "./small-cases.js";

const sizes = { B: 1, H: 1, E: 2, F: 2, M: 9, queries: 9, modelDim: 1, feedForward: 1, group: 1 };
const fields = {
  "architecture.parameters.rows": 2,
  "architecture.parameters.columns": 2,
  "architecture.timing.bufferReadRows": 4,
  "architecture.timing.rmReturn": 2,
  "architecture.levels.registers2d.depth": 40,
  "architecture.levels.registers1d.depth": 40,
  "architecture.arrays.1d.operations.divide": 1,
  "mapping.symbols.queryTiles": 2,
};
const sequences = [{ count: 1, queries: 9, keys: 9 }];
const causal: KeyMask = { left: -1, right: 0, sequences };

interface Given {
  readonly fields?: Readonly<Record<string, number>>;
  readonly sizes?: Partial<typeof sizes>;
  readonly mask?: KeyMask;
}

/** Each beside the one that all are like but for a number. */
const others: readonly Given[] = [
  {},
  { fields: { "architecture.parameters.rows": 3 } },
  { fields: { "architecture.parameters.columns": 3 } },
  { fields: { "architecture.timing.bufferReadRows": 2 } },
  { fields: { "architecture.timing.rmReturn": 30 } },
  { fields: { "architecture.arrays.1d.operations.divide": 3 } },
  { fields: { "architecture.levels.registers2d.depth": 6 } },
  { fields: { "mapping.symbols.queryTiles": 1 } },
  { sizes: { M: 8 } },
  { sizes: { E: 5 } },
  { sizes: { F: 7 } },
  { sizes: { queries: 4 } },
  { mask: causal },
  { mask: { ...causal, right: 1 } },
  { mask: { ...causal, left: 3 } },
  { mask: { ...causal, origin: 4 } },
  { mask: { ...causal, prefix: 5 } },
  { mask: { ...causal, documents: [4, 9] } },
  { mask: { ...causal, documents: [6, 9] } },
  { mask: { ...causal, sequences: [{ ...sequences[0], count: 2, queries: 9, keys: 9 }] } },
  { mask: { ...causal, sequences: [{ count: 1, queries: 5, keys: 9 }] } },
  { mask: { ...causal, sequences: [{ count: 1, queries: 9, keys: 7 }] } },
  { mask: { ...causal, sequences: [{ count: 1, queries: 9, keys: 9, leftPad: 4 }] } },
];

describe("the cycles of a schedule, which are remembered", () => {
  it("law: are those of its simulation, whatever was asked for before", () => {
    for (const other of [...others, {}]) {
      const { compiled, variables } = fusemaxWith({ ...fields, ...other.fields });
      const own = { sizes: { ...sizes, ...other.sizes }, mask: other.mask, variables };
      const { spec, arrays, work } = scheduleOfDesign(compiled, own);
      const values = valuesOf(compiled, own.sizes, variables);
      const { cycles } = simulateSchedule(findLags(spec, arrays, work), arrays, work);
      expect(scheduledCycles(compiled, own, values), JSON.stringify(other)).toBe(cycles);
    }
  });

  it("are none for a design without a schedule", () => {
    const compiled = compileDesign(loadDesign(specFiles, "cascade"));
    expect(scheduledCycles(compiled, { sizes }, valuesOf(compiled, sizes))).toBeNull();
  });
});
