import { describe, expect, it } from "vitest";
import { specFiles } from "../../../src/io/spec-files.js";
import { attentionPoints } from "../../../src/model/attention-point.js";
import { compileDesign } from "../../../src/model/compile.js";
import { accountingOf } from "../../../src/model/corrections.js";
import { evaluate } from "../../../src/model/evaluate.js";
import { designOf, mappingFiles } from "../../../src/model/mapper/design.js";
import { mapperProblem } from "../../../src/model/mapper/problem.js";
import { searchMappings } from "../../../src/model/mapper/search.js";
import { loadDesign, loadWorkload } from "../../../src/spec/load.js";

const accounting = accountingOf("corrected", undefined);

/** Sums of some dozen doubles in another order. */
const rounding = 1e-9;

describe("the files of a mapping", () => {
  // What goes step by step along the keys has but one step, whose loop is between no two others.
  it.each([
    ["cascade", 100],
    ["fsa", 128],
  ])("law: are taken, and cost what the search says, where a sequence is one tile: %s at %i", (name, seq) => {
    const at = { phase: "prefill", seq, batch: 1, decodeQueries: 1 } as const;
    const [point] = attentionPoints(loadWorkload(specFiles, "bert"), at);
    if (point === undefined) throw new Error("no point");
    const problem = mapperProblem(loadDesign(specFiles, name), point, accounting);
    const [found] = searchMappings(problem, { objective: "latency", budget: 1, width: 4 }).found;
    if (found === undefined) throw new Error("nothing found");
    const design = designOf(problem, mappingFiles(problem, found.what, "found", "test"));
    const options = { corrections: accounting.corrections };
    const { latencySeconds, trafficBytes } = evaluate(compileDesign(design, options), point.sizes, accounting);
    expect(Math.abs(latencySeconds / found.outcome.latencySeconds - 1)).toBeLessThan(rounding);
    expect(trafficBytes).toBe(found.outcome.dramBytes);
  });
});
