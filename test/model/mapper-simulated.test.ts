import { describe, expect, it } from "vitest";
import { specFiles } from "../../src/io/spec-files.js";
import { attentionPoints } from "../../src/model/attention-point.js";
import { compileDesign } from "../../src/model/compile.js";
import { accountingOf } from "../../src/model/corrections.js";
import { evaluate } from "../../src/model/evaluate.js";
import { designOf, mappingFiles } from "../../src/model/mapper/design.js";
import { mapperProblem } from "../../src/model/mapper/problem.js";
import { searchMappings } from "../../src/model/mapper/search.js";
import { hasTiles, simulateMapping, simulationTolerance } from "../../src/model/mapper/simulated.js";
import { simulateDesign } from "../../src/model/schedule/simulate-design.js";
import { sizesOf } from "../../src/model/sizes.js";
import { readDocument } from "../../src/spec/document.js";
import { loadDesign, loadWorkload } from "../../src/spec/load.js";
import { scheduleSchema } from "../../src/spec/schedule/document.js";

const published = accountingOf("published", undefined);

function simulated(name: string, model: string) {
  const workload = loadWorkload(specFiles, model);
  const [point] = attentionPoints(workload, { phase: "prefill", seq: 1024, batch: 1, decodeQueries: 1 });
  if (point === undefined) throw new Error("no point");
  const compiled = compileDesign({ ...loadDesign(specFiles, name), schedule: undefined });
  return simulateMapping({ point, accounting: published }, compiled, evaluate(compiled, point.sizes));
}

describe("mappings that were found, simulated", () => {
  it("finds a schedule of arrays side by side for FuseMax's own mapping, near what its binding says", () => {
    const found = simulated("fusemax", "bert");
    if ("reason" in found) throw new Error(found.reason);
    // The ways from array to array are hidden: one tile at a time takes several times the binding's cycles.
    expect(found.ratio).toBeGreaterThan(1 - simulationTolerance);
    expect(found.ratio).toBeLessThan(1.2);
    expect(found.agrees).toBe(Math.abs(found.ratio - 1) <= simulationTolerance);
    expect(found.schedule.tiles).toMatchObject({ a: 0 });
    // Written down, it is held to the register files of its machine.
    const text = JSON.stringify({ ...found.schedule, source: "test" });
    const schedule = readDocument({ file: "schedule.yaml", text }, scheduleSchema);
    const design = compileDesign({ ...loadDesign(specFiles, "fusemax"), schedule });
    const sizes = sizesOf(loadWorkload(specFiles, "bert"), 1024);
    expect(simulateDesign(design, { sizes }, { memory: "ideal" }).cycles).toBeGreaterThan(0);
  });

  it("searches mappings that can be simulated, for decode, in which no loop goes over tiles of queries", () => {
    const workload = loadWorkload(specFiles, "llama-3-8b");
    const [point] = attentionPoints(workload, { phase: "decode", seq: 512, batch: 1, decodeQueries: 1 });
    if (point === undefined) throw new Error("no point");
    // Without the constraint a recurrence lies on two arrays.
    const problem = mapperProblem(loadDesign(specFiles, "fusemax"), point, published, [], true);
    const [found] = searchMappings(problem, { objective: "latency", budget: 1, width: 8 }).found;
    if (found === undefined) throw new Error("none that can be simulated");
    const compiled = compileDesign(designOf(problem, mappingFiles(problem, found.what, "tried", "test")));
    expect(hasTiles(problem, compiled)).toBe(true);
  });

  it.each([
    ["flat", "bert", /does not work tile by tile: no value is carried/],
    [
      "tpu-v4",
      "bert",
      /instances of \w+ around the array.*a schedule knows two fan-outs around an array, here \w+ and \w+$/,
    ],
    ["a100", "bert", /8 instances of coreRow .*, and 4 of partition, 108 of sm, beyond its rows and columns/],
  ])("says why %s for %s cannot be simulated", (name, model, reason) => {
    expect(simulated(name, model)).toMatchObject({ reason: expect.stringMatching(reason) });
  });
});
