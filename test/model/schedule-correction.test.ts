import { describe, expect, it } from "vitest";
import { specFiles } from "../../src/io/spec-files.js";
import { attentionPoints } from "../../src/model/attention-point.js";
import { compileDesign } from "../../src/model/compile.js";
import { accountingOf } from "../../src/model/corrections.js";
import { evaluate } from "../../src/model/evaluate.js";
import type { Patch } from "../../src/model/patch.js";
import { loadDesign, loadWorkload } from "../../src/spec/load.js";

const prefill = { phase: "prefill", decodeQueries: 1 } as const;

function cyclesOf(
  design: string,
  model: string,
  seq: number,
  corrections: readonly string[],
  patches: readonly Patch[] = [],
) {
  const workload = loadWorkload(specFiles, model);
  const compiled = compileDesign(loadDesign(specFiles, design), { corrections, patches });
  const accounting = accountingOf(undefined, corrections);
  return attentionPoints(workload, { ...prefill, seq, batch: workload.batch }).map(
    ({ sizes, mask }) => evaluate(compiled, sizes, accounting, [], mask).cycles,
  );
}

describe("the schedule correction", () => {
  const causal = ["llama-3-8b", "llama-2-7b", "gpt-3", "gpt-2", "mistral-7b", "gemma-2-9b", "phi-3-mini"];

  it.each(causal)("only adds to a causal run, at any length: %s", model => {
    for (const seq of [1024, 2048, 4096, 16384]) {
      const without = cyclesOf("fusemax", model, seq, ["divider"]);
      cyclesOf("fusemax", model, seq, ["divider", "schedule"]).forEach((cycles, kind) => {
        expect(cycles).toBeGreaterThanOrEqual(without[kind] as number);
      });
    }
  });

  it("takes the tiles that a causal run takes, and AV's divisions as they are", () => {
    expect(cyclesOf("fusemax", "llama-3-8b", 1024, ["divider"])).toEqual([150656]);
    expect(cyclesOf("fusemax", "llama-3-8b", 1024, ["divider", "schedule"])).toEqual([151935]);
  });

  it.each([
    ["arrays.2d.operations.mac", 2, 53_477_376],
    ["arrays.2d.operations.max", 4, 27_918_336],
    ["arrays.1d.operations.mac", 2, 40_000_000],
    ["arrays.2d.operations.add", 3, 30_000_000],
  ])("counts the costs of operations: %s = %i", (field, value, least) => {
    const patches = [{ path: `architecture.${field}`, value }];
    const corrections = accountingOf("corrected", undefined).corrections;
    const [cycles = 0] = cyclesOf("fusemax", "bert", 4096, corrections, patches);
    expect(cycles).toBeGreaterThanOrEqual(least);
  });

  it("takes the time that a binding of one's own says, where that is more", () => {
    const serial = "BQK + LM + RM + SLN + SLD + PRM + SPD + SLNV + SPNV + RD + RNV + AV";
    const patches = [{ path: "binding.phases.0.latency", value: serial }];
    const alone = cyclesOf("fusemax", "bert", 4096, [], patches);
    expect(cyclesOf("fusemax", "bert", 4096, ["schedule"], patches)).toEqual(alone);
  });
});
