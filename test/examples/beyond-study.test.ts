import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { boundOfDesign } from "../../examples/beyond-study/bound.js";
import { costOf, costOfDesign, fusemaxMachine, type Scenario, scenarios } from "../../examples/beyond-study/machine.js";
import { against, times } from "../../examples/beyond-study/tables.js";

/** Law: what docs/beyond-fusemax.md says is what its command computes; the headline is computed again here. */
const page = readFileSync(new URL("../../docs/beyond-fusemax.md", import.meta.url), "utf8");

function named(name: string): Scenario {
  const found = scenarios.find(scenario => scenario.name === name);
  if (found === undefined) throw new Error(`no scenario ${name}`);
  return found;
}

describe("the study of machines no larger than FuseMax", () => {
  it.each([
    ["BERT 1K", "beyond-wide", 1.45],
    ["BERT 4K", "beyond-short", 1.14],
    ["BERT 64K", "beyond-long", 1.07],
    ["Llama 3 8B causal 8K", "beyond-wide", 1.15],
    ["DeepSeek-V3 absorbed decode 128K", "beyond-decode", 1.5],
  ] as const)("%s: %s is quicker on no more area and energy, as the page says", (name, design, atLeast) => {
    const scenario = named(name);
    const found = against(costOfDesign("fusemax", scenario), costOfDesign(design, scenario));
    expect(found.speedup).toBeGreaterThan(atLeast);
    expect(found.area).toBeLessThanOrEqual(1);
    expect(found.energy).toBeLessThan(1);
    const { speedup, energy, dram, area } = found;
    const row = [name, design, times(speedup), times(energy), dram.toFixed(2), times(area)].join(" | ");
    expect(page).toContain(`| ${row} |`);
  });

  it.each([
    ["Llama 3 8B causal 8K", "beyond-wide"],
    ["DeepSeek-V3 absorbed decode 128K", "beyond-decode"],
  ] as const)("%s: %s moves no less than its bound, as the page says", (name, design) => {
    const cost = costOfDesign(design, named(name));
    const bound = boundOfDesign(design, named(name), cost);
    const [moved, least] = [cost.trafficBytes, bound].map(of => (of / 1e9).toFixed(2));
    expect(page).toContain(`| ${name} | ${design} | ${moved} | ${least} | ${(cost.trafficBytes / bound).toFixed(2)} |`);
  });

  it("decode of grouped heads takes as long on 8 columns", () => {
    const scenario = named("Llama 3 70B decode 128K");
    const { speedup, area } = against(costOfDesign("fusemax", scenario), costOfDesign("lean-decode", scenario));
    expect(times(speedup)).toBe("1.000");
    expect(area).toBeLessThan(0.035);
  });

  it("a reciprocal a query makes FuseMax itself quicker at 1K, and hardly at 64K", () => {
    const gain = (name: string): string => {
      const [base, cost] = (["bf16", "bf16-reciprocal"] as const).map(arithmetic =>
        costOf({ ...fusemaxMachine, arithmetic }, named(name)),
      );
      return base == null || cost == null ? "" : times(base.latencySeconds / cost.latencySeconds);
    };
    expect(page).toContain(`| one reciprocal per query | ${gain("BERT 1K")} | ${gain("BERT 64K")} |`);
  });

  it("with a divider of one cycle little is gained at 1K and 4K", () => {
    const divider = [{ path: "architecture.arrays.1d.operations.divide", value: 1 }];
    const gains = (["beyond-wide", "beyond-short", "beyond-long"] as const).flatMap(design =>
      ["BERT 1K", "BERT 4K"].map(name => {
        const [base, cost] = (["fusemax", design] as const).map(own => costOfDesign(own, named(name), divider));
        return base === undefined || cost === undefined ? "" : (base.latencySeconds / cost.latencySeconds).toFixed(2);
      }),
    );
    expect(gains).toEqual(["1.14", "1.05", "1.07", "1.06", "1.01", "1.01"]);
    const [wide1, wide4, ...others] = gains;
    expect(page).toContain(`\`beyond-wide\` is ${wide1} times as fast as FuseMax at 1K and ${wide4} at 4K`);
    const [short1, short4, long1, long4] = others;
    expect(page).toContain(`\`beyond-short\`: ${short1} and ${short4}; \`beyond-long\`: ${long1} and ${long4};`);
  });

  it("what frees the 1D array of the wide machine gains no cycle, as the page says", () => {
    const scenario = named("BERT 64K");
    const { cycles } = costOfDesign("beyond-wide", scenario);
    const lazy = costOfDesign("beyond-wide", scenario, [{ path: "mapping.einsums.SPNV.operations.mac", value: 0 }]);
    expect(lazy.cycles).toBe(cycles);
    expect(page).toContain(`the same ${cycles.toLocaleString("en-US")} cycles at 64K`);
  });

  it("the bound of 1.17 follows from the areas and the two products", () => {
    const { areaUm2, componentAreaUm2, cycles } = costOfDesign("fusemax", named("BERT 64K"));
    const perArray = (componentAreaUm2?.["registers2d"] ?? 0) + (componentAreaUm2?.["compute.2d"] ?? 0);
    expect((perArray / areaUm2).toFixed(2)).toBe("0.93");
    const pes = areaUm2 / perArray;
    expect(pes.toFixed(3)).toBe("1.079");
    const tiles = 64 * 12 * 256 * 256;
    expect(((pes * cycles) / (tiles * (64 + 64))).toFixed(2)).toBe("1.17");
  });
});
