import { describe, expect, it } from "vitest";
import { specFiles } from "../../src/io/spec-files.js";
import { compileDesign } from "../../src/model/compile.js";
import { FieldReads } from "../../src/model/field-reads.js";
import { scheduledCycles } from "../../src/model/schedule/correction.js";
import { findLags } from "../../src/model/schedule/lags.js";
import { scheduleOfDesign } from "../../src/model/schedule/of-design.js";
import { simulateSchedule } from "../../src/model/schedule/simulate.js";
import { simulateDesign } from "../../src/model/schedule/simulate-design.js";
import { valuesOf } from "../../src/model/values.js";
import { loadDesign } from "../../src/spec/load.js";

const sizes = { B: 1, H: 2, E: 4, F: 4, M: 40, queries: 24, modelDim: 4, feedForward: 4, group: 1 };
const small = [
  { path: "architecture.parameters.rows", value: 4 },
  { path: "architecture.parameters.columns", value: 3 },
];

describe("the simulation of a design", () => {
  it("law: is that of its schedule with the lags found, of its loops, its arrays and its memory", () => {
    const compiled = compileDesign(loadDesign(specFiles, "fusemax"), { patches: small });
    const { spec, arrays, work, dram } = scheduleOfDesign(compiled, { sizes });
    const schedule = findLags(spec, arrays, work);
    for (const leap of [true, false]) {
      const [ideal, usual] = [simulateSchedule(schedule, arrays, work, { leap }), { leap, dram }];
      expect(simulateDesign(compiled, { sizes }, { memory: "ideal", leap })).toEqual(ideal);
      expect(simulateDesign(compiled, { sizes }, { leap })).toEqual(simulateSchedule(schedule, arrays, work, usual));
      expect(ideal.tilesStepped < ideal.tiles).toBe(leap);
    }
    expect(schedule.lags["c"]).toBeGreaterThan(0);
  });

  it("is of one tile at a time where it carries values from tile to tile, and has no schedule", () => {
    const compiled = compileDesign(loadDesign(specFiles, "tpu-v4"));
    const result = simulateDesign(compiled, { sizes }, { memory: "ideal" });
    expect([result.schedule.name, Object.keys(result.schedule.programs)]).toEqual(["one-tile", ["matrix", "vector"]]);
    expect(result.tiles).toBe(2);
    expect(result.tilesStepped).toBeGreaterThan(0);
  });

  it("is of one Einsum after the other where it carries none, and refused with a schedule", () => {
    const flat = loadDesign(specFiles, "flat");
    const { schedule, tilesStepped } = simulateDesign(compileDesign(flat), { sizes });
    expect([schedule.programs, tilesStepped]).toEqual([{}, 0]);
    const scheduled = { ...flat, schedule: loadDesign(specFiles, "fusemax").schedule };
    expect(() => simulateDesign(compileDesign(scheduled), { sizes })).toThrow(/does not work tile by tile/);
  });
});

describe("the cycles of a schedule, where it is recorded what is read", () => {
  it("read what the schedule takes, and no more", () => {
    const reads = new FieldReads();
    const compiled = compileDesign(loadDesign(specFiles, "fusemax"), { patches: small, reads });
    const read = () =>
      ["registers1d.depth", "registers2d.depth", "spill.depth"].filter(field =>
        reads.isRead(`architecture.levels.${field}`),
      );
    expect(scheduledCycles(compiled, { sizes }, valuesOf(compiled, sizes))).toBeGreaterThan(0);
    // A schedule is held to the arrays' own register files.
    expect(read()).toEqual(["registers1d.depth", "registers2d.depth"]);
  });
});
