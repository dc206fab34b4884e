import { describe, expect, it } from "vitest";
import { specFiles } from "../../src/io/spec-files.js";
import { attentionPoints } from "../../src/model/attention-point.js";
import { accountingOf } from "../../src/model/corrections.js";
import { nothing, type Objective, type Outcome } from "../../src/model/mapper/goal.js";
import { type MapperProblem, mapperProblem } from "../../src/model/mapper/problem.js";
import { Searcher, type TilingAnswer } from "../../src/model/mapper/searcher.js";
import { loadDesign, loadWorkload } from "../../src/spec/load.js";

function problemOf(name: string, seq: number): MapperProblem {
  const workload = loadWorkload(specFiles, "bert");
  const [point] = attentionPoints(workload, { phase: "prefill", seq, batch: workload.batch, decodeQueries: 1 });
  if (point === undefined) throw new Error("no point");
  return mapperProblem(loadDesign(specFiles, name), point, accountingOf("published", undefined));
}

/** The best of one tiling of a whole cascade. */
function tried(searcher: Searcher, objective: Objective): readonly Outcome[] {
  const knowing = { known: [], whole: [], around: nothing };
  const block = { from: 0, to: searcher.problem.einsums.length, tiling: 0 };
  const answer = searcher.answer({ kind: "tiling", ...block, objective, width: 32, slack: 0, ...knowing });
  return (answer as TilingAnswer).found.map(({ outcome }) => outcome);
}

describe("a front of mappings", () => {
  it("has the ends that least time and least energy find alone", () => {
    const searcher = new Searcher(problemOf("flat", 4096));
    const front = tried(searcher, "pareto");
    expect(front.length).toBeGreaterThan(1);
    expect(front[0]?.latencySeconds).toBe(tried(searcher, "latency")[0]?.latencySeconds);
    expect(front.at(-1)?.energyPj).toBe(tried(searcher, "energy")[0]?.energyPj);
  });
});
