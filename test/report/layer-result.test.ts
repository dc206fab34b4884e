import { describe, expect, it } from "vitest";
import { specFiles } from "../../src/io/spec-files.js";
import { published } from "../../src/model/accounting.js";
import { accountingOf } from "../../src/model/corrections.js";
import { paperDesigns, paperEvaluation, paperLengths, paperWorkloads } from "../../src/model/evaluation.js";
import { type ModelResult, modelResults } from "../../src/report/model-result.js";
import { against } from "../../src/report/reproduction.js";
import { loadDesign, loadWorkload } from "../../src/spec/load.js";

/** A result of every design, workload and length: no law below holds for want of one. */
const layersOf = (workloads: readonly string[], lengths: readonly number[], accounting = published) => {
  const { results } = modelResults({
    designs: paperDesigns.map(name => loadDesign(specFiles, name)),
    workloads: workloads.map(name => loadWorkload(specFiles, name)),
    lengths,
    phase: "prefill",
    decodeQueries: 1,
    product: loadDesign(specFiles, "product"),
    accounting,
    effects: false,
  });
  expect(results.length).toBe(paperDesigns.length * workloads.length * lengths.length);
  return results;
};

/** The least that a double's rounding leaves of sums of some ten terms. */
const roundings = 1e-12;
/** The layer's products have searched blocks that may leave a partial one; the published linear layers' divide. */
const energyOfOtherBlocks = 6e-4;

describe("a whole layer", () => {
  it("is as many times faster as the paper's encoder layer (Fig. 10), and takes its energy (Fig. 11)", () => {
    const results = layersOf(paperWorkloads, paperLengths);
    const evaluation = paperEvaluation(specFiles, { attention: true, endToEnd: true, pareto: false });
    const of = (design: string) => results.filter(result => result.design === design).map(({ layer }) => layer);
    for (const base of ["unfused", "flat"] as const) {
      const bases = of(base);
      for (const design of paperDesigns) {
        const paper = against(evaluation, design, base, "end-to-end");
        expect(of(design)).toHaveLength(paper.speedup.length);
        of(design).forEach((layer, i) => {
          const speedup = (bases[i]?.latencySeconds ?? 0) / (layer?.latencySeconds ?? 0);
          const energy = (layer?.energyPj ?? 0) / (bases[i]?.energyPj ?? 0);
          expect(Math.abs(speedup / (paper.speedup[i] ?? 0) - 1)).toBeLessThan(roundings);
          expect(Math.abs(energy / (paper.energy[i] ?? 0) - 1)).toBeLessThan(energyOfOtherBlocks);
        });
      }
    }
  });

  it.each(["published", "corrected"])("divides its energy among components, without a remainder: %s", name => {
    for (const { layer } of layersOf(["bert", "llama-3-8b"], [4096], accountingOf(name, undefined))) {
      const sum = Object.values(layer?.components ?? {}).reduce((total, { energyPj }) => total + energyPj, 0);
      expect(Math.abs(sum / (layer?.energyPj ?? 0) - 1)).toBeLessThan(roundings);
    }
  });

  it("keeps the 2D array busy with its products' multiply-accumulates, one a PE and cycle, and the 1D array not at all", () => {
    const busyCycles = (of: { readonly cycles: number } | undefined, share: number | undefined): number =>
      (of?.cycles ?? 0) * (share ?? 0);
    for (const result of layersOf(["bert"], [4096])) {
      const { layer }: ModelResult = result;
      // Every size is a multiple of 256: four projections of 768 x 768, and two matrices of 768 x 3072.
      const macs = 64 * 4096 * (4 * 768 * 768 + 2 * 768 * 3072);
      const more = busyCycles(layer, layer?.util2d) - busyCycles(result, result.util2d);
      expect(Math.abs(more / (macs / 65_536) - 1)).toBeLessThan(roundings * 10);
      const lane = busyCycles(layer, layer?.util1d) / busyCycles(result, result.util1d);
      expect(Math.abs(lane - 1)).toBeLessThan(roundings);
    }
  });

  it("spends every PE-cycle on something, useful where its products fill the array", () => {
    for (const result of layersOf(["bert", "llama-3-8b"], [4096])) {
      for (const { useful, masked, unfilled, dram, binding } of Object.values(result.layer?.use ?? {})) {
        const all = useful + masked + dram + binding + Object.values(unfilled).reduce((a, b) => a + b, 0);
        expect(Math.abs(all - 1)).toBeLessThan(roundings);
      }
      expect(result.layer?.use["2d"]?.useful).toBeGreaterThan(result.use["2d"]?.useful ?? 1);
    }
  });

  it("is limited by what holds up most of its time: the 1D array while attention is long, else the 2D array", () => {
    const bound = (seq: number) => layersOf(["bert"], [seq]).find(({ design }) => design === "fusemax");
    expect([bound(1024)?.bound, bound(1024)?.layer?.bound]).toEqual(["1d", "2d"]);
    expect([bound(65_536)?.bound, bound(65_536)?.layer?.bound]).toEqual(["1d", "1d"]);
  });
});
