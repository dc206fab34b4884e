import { describe, expect, it } from "vitest";
import { specFiles } from "../../src/io/spec-files.js";
import { compileDesign } from "../../src/model/compile.js";
import { accountingOf } from "../../src/model/corrections.js";
import { evaluate } from "../../src/model/evaluate.js";
import type { Patch } from "../../src/model/patch.js";
import { simulateDesign } from "../../src/model/schedule/simulate-design.js";
import { loadArithmetic, loadDesign } from "../../src/spec/load.js";

const sizes = { B: 1, H: 2, E: 64, F: 48, M: 4096, queries: 2048, modelDim: 128, feedForward: 512, group: 1 };
const accounting = accountingOf("corrected", undefined);

function run(arithmetic: object, patches: readonly Patch[] = []) {
  const fusemax = loadDesign(specFiles, "fusemax");
  const data = { ...loadArithmetic(specFiles, "bf16"), ...arithmetic };
  const design = { ...fusemax, arithmetic: { ...fusemax.arithmetic, data }, arithmeticBy: "command" as const };
  const compiled = compileDesign(design, { corrections: accounting.corrections, patches });
  return {
    counts: evaluate(compiled, sizes, accounting).counts,
    simulated: simulateDesign(compiled, { sizes }, { memory: "ideal" }),
  };
}

const noCorrections: Patch = { path: "mapping.einsums.SPNV.operations.mac", value: 0 };

describe("a schedule's simulation follows what the operations of a design say", () => {
  it.each([
    ["one reciprocal per query: a division and F products", { normalize: "reciprocal" } as const, []],
    ["sums that start from the corrected ones: no addition for RNV", { sums: "running" } as const, []],
    ["no corrections: nothing for SPNV", {}, [noCorrections]],
    ["quotients, additions and corrections", {}, []],
  ])("law: an Einsum is busy for as long as the model counts: %s", (_, arithmetic, patches) => {
    const { counts, simulated } = run(arithmetic, patches);
    // The model has 1 / F of a division a value: it is whole but for rounding.
    for (const { name, array, cycles } of counts) {
      expect(simulated.arrays[array]?.busy[name], name).toBeCloseTo(cycles, 6);
    }
  });

  it("a chain of Einsums without operations keeps a cycle a value: something puts the sums into the buffer", () => {
    const { counts, simulated } = run({ sums: "running" }, [noCorrections]);
    const cyclesOf = (name: string): number => counts.find(own => own.name === name)?.cycles ?? Number.NaN;
    expect([cyclesOf("SPNV"), cyclesOf("RNV")]).toEqual([0, 0]);
    expect(simulated.arrays["1d"]?.busy["SPNV"]).toBe(0);
    // One for each of F values of a tile, as SLNV has on the 2D array.
    expect(simulated.arrays["1d"]?.busy["RNV"]).toBe(cyclesOf("SLNV"));
  });

  it("takes no array's own work for less, and what the schedule leaves empty for more", () => {
    const whole = run({}).simulated;
    const saved = run({}, [noCorrections]).simulated;
    const busy = (result: typeof whole): number => result.arrays["1d"]?.busyCycles ?? 0;
    expect(busy(saved)).toBe(busy(whole) - (whole.arrays["1d"]?.busy["SPNV"] ?? 0));
    expect(saved.cycles).toBeGreaterThanOrEqual(saved.arrays["2d"]?.busyCycles ?? Number.NaN);
    expect(saved.cycles).toBeLessThanOrEqual(whole.cycles);
  });
});
