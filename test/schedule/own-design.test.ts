import { describe, expect, it } from "vitest";
import { specFiles } from "../../src/io/spec-files.js";
import { attentionPoints } from "../../src/model/attention-point.js";
import { compileDesign } from "../../src/model/compile.js";
import { evaluate } from "../../src/model/evaluate.js";
import { simulateDesign } from "../../src/model/schedule/simulate-design.js";
import { scheduleTimeline } from "../../src/model/schedule/timeline.js";
import { loadDesign, loadWorkload, type SpecSource } from "../../src/spec/load.js";

/** FuseMax's Einsums on arrays of other names and sizes, without a schedule: what somebody's own files say. */
const renamed = (text: string): string =>
  text
    .replace(/\b2d: \{ at:/g, "pe: { at:")
    .replace(/\b1d: \{ at:/g, "vector: { at:")
    .replace(/array: 2d/g, "array: pe")
    .replace(/array: 1d/g, "array: vector")
    .replace("arrays.1d.", "arrays.vector.")
    .replace(/^schedule: .*$/m, "")
    .replace("D: 256", "D: 128");
const source: SpecSource = {
  ...specFiles,
  read: (kind, name, from) => {
    const spec = specFiles.read(kind, name, from);
    return spec && { ...spec, file: `own/${spec.file}`, text: renamed(spec.text) };
  },
};
const own = compileDesign(loadDesign(source, "fusemax"));
const [causal] = attentionPoints(loadWorkload(specFiles, "llama-3-8b"), {
  ...{ phase: "prefill", seq: 2048, batch: 1, decodeQueries: 1 },
});

describe("a design of one's own, without a schedule", () => {
  it("works on one tile at a time, its arrays busy for as long as the analysis says", () => {
    if (causal === undefined) throw new Error("no point");
    const { arrays, schedule, latencyCycles } = simulateDesign(own, causal, { memory: "ideal" });
    expect(schedule.name).toBe("one-tile");
    expect(Object.keys(arrays)).toEqual(["pe", "vector"]);
    for (const { name, array, cycles } of evaluate(own, causal.sizes, undefined, [], causal.mask).counts) {
      expect(arrays[array]?.busy[name], name).toBe(cycles);
    }
    for (const { busyCycles } of Object.values(arrays)) expect(latencyCycles).toBeGreaterThan(busyCycles);
  });

  it("has a timeline", () => {
    if (causal === undefined) throw new Error("no point");
    const { slices, streams } = scheduleTimeline(own, causal, { first: 4, last: 6 });
    expect(Object.keys(streams)).toEqual(["pe", "vector"]);
    expect(new Set(slices.map(({ einsum }) => einsum)).size).toBeGreaterThan(10);
  });

  it.each(["flat", "unfused"])("runs its Einsums one after the other where nothing is carried: %s", name => {
    if (causal === undefined) throw new Error("no point");
    const compiled = compileDesign(loadDesign(specFiles, name));
    const { arrays, latencyCycles } = simulateDesign(compiled, causal, { memory: "ideal" });
    const busy = Object.values(arrays).reduce((sum, { busyCycles }) => sum + busyCycles, 0);
    expect(latencyCycles).toBeGreaterThanOrEqual(busy);
    expect(() => scheduleTimeline(compiled, causal, { first: 0, last: 1 })).toThrow(/does not work tile by tile/);
  });
});
