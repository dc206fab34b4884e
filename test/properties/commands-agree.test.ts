import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { loadCascade } from "../../src/io/cascade-files.js";
import { specFiles } from "../../src/io/spec-files.js";
import { type Accounting, published } from "../../src/model/accounting.js";
import { accountingOf } from "../../src/model/corrections.js";
import { costOfRun } from "../../src/model/cost.js";
import { sweeper } from "../../src/model/sweep.js";
import { modelResults } from "../../src/report/model-result.js";
import { trafficStudy } from "../../src/report/traffic-study.js";
import { loadDesign } from "../../src/spec/load.js";
import { type Workload, workloadSchema } from "../../src/spec/workload.js";
import { invoke } from "../cli/invoke.js";

// Commands that print the same quantity of the same workload print the same number.

const runs = 200;
const names = ["unfused", "flat", "cascade", "architecture", "fusemax"] as const;
const designs = names.map(name => loadDesign(specFiles, name));
const fusemax = designs.slice(-1);
const cascades = [loadCascade("attention-1-pass"), loadCascade("attention-3-pass")];
const corrected = accountingOf("corrected", undefined);

const size = (max: number) => fc.integer({ min: 1, max });
const edge = fc.oneof(fc.constant(-1), fc.integer({ min: 0, max: 700 }));
const cases = fc
  .record({
    kvHeads: size(3),
    group: size(5),
    headDim: size(96),
    valueDim: size(96),
    valuesInKeys: fc.boolean(),
    causal: fc.boolean(),
    window: fc.tuple(edge, edge),
    batch: size(3),
    phase: fc.constantFrom("prefill" as const, "decode" as const),
    decodeQueries: size(5),
    seq: size(1500),
    accounting: fc.constantFrom<Accounting>(published, corrected),
  })
  .map(({ kvHeads, group, valuesInKeys, causal, window, batch, headDim, valueDim, ...asked }) => {
    const workload = workloadSchema.parse({
      ...{ name: "random", source: "a property", phases: ["prefill", "decode"], batch, causal, headDim, valueDim },
      ...{ heads: kvHeads * group, kvHeads, valuesInKeys: valuesInKeys && valueDim <= headDim },
      ...{ window, modelDim: 64, feedForward: 256 },
    });
    return { ...asked, decodeQueries: Math.min(asked.decodeQueries, asked.seq), workload };
  });

/** Shares of the longest sequence, for a ragged batch. */
const lengths = fc.option(fc.array(fc.double({ min: 0.01, max: 1, noNaN: true }), { minLength: 3, maxLength: 3 }));

describe("commands agree", () => {
  it(`law: model, sweep, run and traffic-bound say the same of ${runs} random workloads, and move no less than the bound`, () => {
    fc.assert(
      fc.property(cases, fc.constantFrom(...designs), ({ workload, seq, accounting, phase, decodeQueries }, design) => {
        const point = { workloads: [workload], lengths: [seq], phase, decodeQueries, accounting };
        const { batch } = workload;
        const [model] = modelResults({ ...point, designs: [design], batch, effects: false }).results;
        const swept = sweeper({ ...point, designs: [design], axes: [] })(0);
        expect(swept.error).toBe("");
        expect(swept.numbers.slice(0, 9)).toEqual([
          ...[model?.cycles, model?.latencySeconds, model?.trafficBytes, model?.energyPj, model?.areaUm2],
          ...[model?.util2d, model?.util1d, model?.use["2d"]?.useful, model?.use["1d"]?.useful],
        ]);
        expect(model?.cycles).toBeCloseTo((model?.latencySeconds ?? 0) * 940e6, 3);
        const { panels } = trafficStudy({ ...point, cascades, designs: [design], workload, batch });
        const bound = panels[0]?.points[0];
        expect(bound?.modelled[design.name]).toBe(model?.trafficBytes);
        // Invariant: no mapping of a cascade moves less than its bound.
        const own = bound?.bounds[design.spec.data.cascade ?? ""]?.bytes ?? Number.NaN;
        if (accounting === corrected) expect(model?.trafficBytes).toBeGreaterThanOrEqual(own);
        expect(own).toBeGreaterThanOrEqual(bound?.compulsoryBytes ?? Number.NaN);
      }),
      { numRuns: runs },
    );
  }, 300_000);

  it(`law: what run says of its cost is what model says of ${runs} random workloads, ragged ones too`, () => {
    fc.assert(
      fc.property(cases, lengths, ({ workload, seq, accounting, phase, decodeQueries }, shares) => {
        const kvLens = shares?.slice(0, workload.batch).map(share => Math.ceil(share * seq)) ?? null;
        if (kvLens !== null) kvLens[0] = seq;
        const ragged = kvLens === null ? {} : { kvLens };
        const point = { workloads: [workload], lengths: [seq], phase, decodeQueries, accounting };
        const [model] = modelResults({
          ...point,
          ...ragged,
          designs: fusemax,
          batch: workload.batch,
          effects: false,
        }).results;
        const cost = costOfRun(
          fusemax[0] as (typeof fusemax)[0],
          shapeOf(workload, seq, phase, decodeQueries),
          tile,
          maskOf(workload, kvLens, phase),
          {
            accounting,
          },
        );
        expect([cost.cycles, cost.seconds, cost.dramBytes, cost.energyPj, cost.util2d, cost.util1d]).toEqual([
          ...[model?.cycles, model?.latencySeconds, model?.trafficBytes, model?.energyPj, model?.util2d, model?.util1d],
        ]);
      }),
      { numRuns: runs },
    );
  }, 300_000);

  it.each([
    ["deepseek-v3-absorbed", ["--q-len", "1", "--kv-len", "500"], ["--phase", "decode", "--seq", "500"]],
    ["llama-3-8b", ["--q-len", "3", "--kv-len", "1K"], ["--phase", "decode", "--queries", "3", "--seq", "1K"]],
    ["gpt-2", ["--seq", "300"], ["--seq", "300"]],
    ["whisper-large-cross", ["--seq", "10"], ["--seq", "10"]],
    ["gemma-2-9b", ["--q-len", "1", "--kv-len", "4200"], ["--phase", "decode", "--seq", "4200"]],
  ])("by the command line, %s", async (name, run, model) => {
    for (const accounting of ["published", "corrected"]) {
      const counted = ["--accounting", accounting, "--json"];
      const ran = await invoke("run", "--check", "none", "--engine", "cpu", "--model", name, ...run, ...counted);
      const { cost, workload } = JSON.parse(ran.stdout);
      const asked = ["--model", name, "--design", "fusemax", "--batch", "1", ...model, ...counted];
      const [first] = JSON.parse((await invoke("model", ...asked)).stdout).results;
      const [point] = JSON.parse((await invoke("sweep", ...asked)).stdout).points;
      for (const answer of [first, point]) {
        expect(answer).toMatchObject({
          ...{
            cycles: cost.cycles,
            latencySeconds: cost.seconds,
            trafficBytes: cost.dramBytes,
            energyPj: cost.energyPj,
          },
          ...{ util2d: cost.util2d, util1d: cost.util1d, layers: workload.layers },
        });
      }
    }
  });
});

describe("commands agree on an arithmetic", () => {
  it.each(["fp32", "fa4-fp8", "mxfp4", "bf16-strict"])(
    "%s: model, sweep, run, schedule and traffic-bound",
    async name => {
      const asked = ["--arithmetic", name, "--seq", "40", "--batch", "1", "--accounting", "corrected", "--json"];
      const answer = async (...args: readonly string[]) => JSON.parse((await invoke(...args)).stdout);
      const [model] = (await answer("model", "--design", "fusemax", ...asked)).results;
      const [swept] = (await answer("sweep", ...asked)).points;
      const [bound] = (await answer("traffic-bound", "--design", "fusemax", ...asked)).panels[0].points;
      const [scheduled] = (await answer("schedule", ...asked)).results;
      const heads = ["--heads", "12", "--check", "none", "--engine", "cpu"];
      const { cost } = await answer("run", ...heads, ...asked.filter(word => !["--batch", "1"].includes(word)));
      const { cycles, latencySeconds, trafficBytes, elementBits, missing } = model;
      expect(swept).toMatchObject({ cycles, latencySeconds, trafficBytes });
      expect(bound.modelled.fusemax).toBe(trafficBytes);
      expect(bound.compulsoryBytes).toBeCloseTo(trafficBytes, 3);
      expect(cost).toMatchObject({ cycles, seconds: latencySeconds, dramBytes: trafficBytes, elementBits });
      expect([cost.energyPj, swept.energyPj]).toEqual([model.energyPj, model.energyPj]);
      expect(missing.includes("energyPj")).toBe(!("energyPj" in model));
      expect(scheduled.simulated.dramBytes).toBeCloseTo(trafficBytes, 3);
    },
  );
});

const tile = { m0: 256, p0: 256 };

const shapeOf = (workload: Workload, seq: number, phase: string, decodeQueries: number) => {
  const { batch, heads, kvHeads, headDim, valueDim, valuesInKeys } = workload;
  const queries = phase === "decode" ? decodeQueries : seq;
  return { batch, heads, kvHeads, queries, keys: seq, headDim, valueDim, valuesInKeys };
};

const maskOf = ({ causal, kinds: [kind] }: Workload, kvLens: readonly number[] | null, phase: string) => {
  const [left, right] = kind?.window ?? [-1, -1];
  return { left, right: causal ? 0 : right, kvLens, qLens: phase === "decode" ? null : kvLens };
};
