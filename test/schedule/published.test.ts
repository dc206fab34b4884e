import { describe, expect, it } from "vitest";
import { specFiles } from "../../src/io/spec-files.js";
import { compileDesign } from "../../src/model/compile.js";
import { accountingOf } from "../../src/model/corrections.js";
import { evaluate } from "../../src/model/evaluate.js";
import type { Patch } from "../../src/model/patch.js";
import { simulateDesign } from "../../src/model/schedule/simulate-design.js";
import { scheduleTimeline } from "../../src/model/schedule/timeline.js";
import { sizesOf } from "../../src/model/sizes.js";
import { loadDesign, loadWorkload } from "../../src/spec/load.js";

const compiled = (design: string, patches: readonly Patch[] = []) =>
  compileDesign(loadDesign(specFiles, design), { patches });
const sizes = (model: string, seq: number) => sizesOf(loadWorkload(specFiles, model), seq);
const lengths = [1, 4, 16, 64, 256, 1024].map(k => k * 1024);

/** Cycles before the first tile's SLN and after the last tile's issue: a constant, however long the run. */
const fillAndDrainBound = 2000;

describe("+Binding at 256 x 256", () => {
  const design = compiled("fusemax");

  it.each(["bert", "xlm"].flatMap(model => lengths.map(seq => [model, seq] as const)))(
    "takes the published cycles plus a constant fill and drain: %s %i",
    (model, seq) => {
      const at = sizes(model, seq);
      const { cycles } = evaluate(design, at);
      for (const memory of ["ideal", "dram"] as const) {
        const { latencyCycles } = simulateDesign(design, { sizes: at }, { memory });
        expect(latencyCycles).toBeGreaterThan(cycles);
        expect(latencyCycles - cycles).toBeLessThan(fillAndDrainBound);
      }
    },
  );

  // The 1D array is busy in each: RM, PRM, SPD and RD take 10 operations, SPNV and RNV F each (FuseMax Fig. 4).
  it.each([
    ["bert", 2 * 64 + 10, 4],
    ["xlm", 2 * 128 + 10, 2],
  ] as const)("%s has epochs of %i cycles at lag %i", (model, epoch, lag) => {
    const { epoch: found, schedule } = simulateDesign(design, { sizes: sizes(model, 2 ** 16) }, { memory: "ideal" });
    expect(found === null ? null : found.cycles / found.tiles).toBe(epoch);
    expect(schedule.lags["c"]).toBe(lag);
  });

  it("steps through few tiles where the run repeats", () => {
    const { tiles, tilesStepped } = simulateDesign(design, { sizes: sizes("bert", 2 ** 20) });
    expect(tiles).toBe(64 * 12 * 4096 * 4096);
    expect(tilesStepped).toBeLessThan(5000);
  });

  it("moves the bytes that the loop-nest analysis counts", () => {
    const at = sizes("bert", 2 ** 14);
    expect(simulateDesign(design, { sizes: at }).dramBytes).toBe(evaluate(design, at).trafficBytes);
  });
});

describe("+Architecture at 256 x 256", () => {
  /** The published per-tile cycles hold if RM is back in every PE one cycle after it was made. */
  it.each(["bert", "xlm"])("takes the published cycles where RM comes back in one cycle: %s", model => {
    const design = compiled("architecture", [{ path: "architecture.timing.rmReturn", value: 1 }]);
    const at = sizes(model, 2 ** 14);
    const { cycles } = evaluate(design, at);
    const simulated = simulateDesign(design, { sizes: at }, { memory: "ideal" }).cycles;
    expect(simulated).toBeGreaterThan(cycles);
    expect(simulated - cycles).toBeLessThan(fillAndDrainBound);
  });

  it("takes 255 cycles per tile more where RM climbs the columns link by link", () => {
    const { epoch } = simulateDesign(compiled("architecture"), { sizes: sizes("bert", 2 ** 14) }, { memory: "ideal" });
    expect(epoch === null ? null : epoch.cycles / epoch.tiles).toBe(458 + 255);
  });
});

describe("the corrected accounting", () => {
  it.each(["fusemax", "architecture"])("takes the simulated cycles as computation: %s", name => {
    const design = compiled(name);
    const at = sizes("bert", 4096);
    const accounting = accountingOf(undefined, ["schedule"]);
    expect(evaluate(design, at, accounting).phases.map(phase => phase.computeCycles)).toEqual([
      simulateDesign(design, { sizes: at }, { memory: "ideal" }).cycles,
    ]);
  });

  it("leaves a design without a schedule as it is", () => {
    const at = sizes("bert", 4096);
    const flat = compiled("flat");
    expect(evaluate(flat, at, accountingOf(undefined, ["schedule"])).cycles).toBe(evaluate(flat, at).cycles);
  });
});

describe("a timeline", () => {
  const design = compiled("fusemax");
  const at = sizes("bert", 4096);
  const epochs = { first: 250, last: 262 };
  const timeline = scheduleTimeline(design, { sizes: at }, epochs);

  it("never has two slices at once on a stream", () => {
    for (const array of ["2d", "1d"] as const) {
      for (let stream = 0; stream < (timeline.streams[array] ?? 0); stream++) {
        const slices = timeline.slices.filter(s => s.array === array && s.stream === stream);
        expect(slices.length).toBeGreaterThan(0);
        for (const [i, slice] of slices.entries()) {
          expect(slice.start).toBeGreaterThanOrEqual(slices[i - 1]?.end ?? 0);
        }
      }
    }
  });

  it("accounts for every cycle of an array from its first epoch's beginning", () => {
    for (const array of ["2d", "1d"] as const) {
      const slices = timeline.slices.filter(s => s.array === array);
      const stalls = timeline.stalls.filter(s => s.array === array);
      const issued = slices.reduce((sum, s) => sum + s.issued, 0);
      const idle = stalls.reduce((sum, s) => sum + s.end - s.start, 0);
      const end = Math.max(...[...slices, ...stalls].map(s => s.end));
      expect(issued + idle).toBe(end - (timeline.begins[array]?.[0] ?? 0));
    }
  });

  it("is the same whether what lies before it was leapt over or not", () => {
    const whole = scheduleTimeline(design, { sizes: at }, { first: 0, last: epochs.last });
    const later = whole.slices.filter(s => s.epoch >= epochs.first);
    expect(timeline.slices).toEqual(later);
  });

  it("refuses epochs that are not there", () =>
    expect(() => scheduleTimeline(design, { sizes: at }, { first: 0, last: 2 ** 40 })).toThrow(
      /epochs: got 0\.\.1099511627776/,
    ));
});
