import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { specFiles } from "../../src/io/spec-files.js";
import { compileDesign } from "../../src/model/compile.js";
import { accountingOf } from "../../src/model/corrections.js";
import { evaluate } from "../../src/model/evaluate.js";
import type { Patch } from "../../src/model/patch.js";
import { simulateDesign } from "../../src/model/schedule/simulate-design.js";
import { loadDesign } from "../../src/spec/load.js";

// Several lanes of the 1D array for each query: they share its F values among them.

const accounting = accountingOf("corrected", undefined);
const { corrections } = accounting;
const wide = loadDesign(specFiles, "beyond-wide");
const sizes = { B: 2, H: 2, E: 64, F: 64, M: 4096, queries: 1000, modelDim: 128, feedForward: 512, group: 1 };
const set = (name: string, value: number): Patch => ({ path: `architecture.parameters.${name}`, value });

describe("lanes that share a query", () => {
  it("law: with one lane a query they are FuseMax's", () => {
    const fusemax = loadDesign(specFiles, "fusemax");
    const alone = { ...fusemax, mapping: wide.mapping };
    const [own, other] = [fusemax, alone].map(design =>
      evaluate(compileDesign(design, { corrections }), sizes, accounting),
    );
    expect(other?.cycles).toBe(own?.cycles);
    expect(other?.energyPj).toBe(own?.energyPj);
    expect(other?.trafficBytes).toBe(own?.trafficBytes);
    expect(other?.areaUm2).toBe(own?.areaUm2);
  });

  it("law: each is busy for its share of F, as the model counts, and leaps change nothing", () => {
    const cases = fc.record({
      lanes: fc.constantFrom(1, 2, 4),
      rows: fc.integer({ min: 2, max: 6 }),
      columns: fc.integer({ min: 2, max: 5 }),
      F: fc.constantFrom(4, 8),
      M: fc.integer({ min: 1, max: 30 }),
      queries: fc.integer({ min: 1, max: 30 }),
    });
    fc.assert(
      fc.property(cases, ({ lanes, rows, columns, F, M, queries }) => {
        const patches = [set("rows", rows), set("columns", columns), set("lanes", lanes)];
        const compiled = compileDesign(wide, { corrections, patches });
        const small = { ...sizes, E: 3, F, M, queries };
        const { counts } = evaluate(compiled, small, accounting);
        const [leapt, stepped] = [true, false].map(leap =>
          simulateDesign(compiled, { sizes: small }, { memory: "dram", leap }),
        );
        expect(leapt).toEqual({ ...stepped, tilesStepped: leapt?.tilesStepped, epoch: leapt?.epoch });
        for (const { name, array, cycles } of counts) {
          expect(leapt?.arrays[array]?.busy[name], name).toBeCloseTo(cycles, 6);
        }
      }),
      { numRuns: 12 },
    );
  });

  it("two a query leave the 2D array no empty slot, and read two rows of the buffer at once", () => {
    const simulated = simulateDesign(compileDesign(wide, { corrections }), { sizes }, { memory: "ideal" });
    const { epoch, arrays } = simulated;
    // E for BQK, F for SLNV, LM, SLD, and a subtraction and four coefficients for SLN.
    expect((epoch?.cycles ?? 0) / (epoch?.tiles ?? 1)).toBe(64 + 64 + 1 + 1 + 5);
    expect(arrays["1d"]?.busyCycles).toBeLessThan(0.6 * (arrays["2d"]?.busyCycles ?? 0));
    const ports = (rows: number): number =>
      simulateDesign(
        compileDesign(wide, { corrections, patches: [{ path: "architecture.timing.bufferReadRows", value: rows }] }),
        { sizes },
        { memory: "ideal" },
      ).cycles;
    expect(ports(4)).toBeLessThan(1.01 * simulated.cycles);
    // SPNV's two rows at once fall on cycles in which BQK takes two.
    expect(ports(2)).toBeGreaterThan(1.1 * simulated.cycles);
  });
});
