import { describe, expect, it } from "vitest";
import { noMask } from "../../src/attention/mask.js";
import { specFiles } from "../../src/io/spec-files.js";
import { accountingOf } from "../../src/model/corrections.js";
import { costOfRun } from "../../src/model/cost.js";
import { modelResults, modelTable } from "../../src/report/model-result.js";
import { modelText } from "../../src/report/model-text.js";
import type { Design } from "../../src/spec/design.js";
import { loadDesign, loadWorkload, type SpecSource } from "../../src/spec/load.js";

/** FuseMax with arrays of other names. */
const renamed: SpecSource = {
  names: specFiles.names,
  read(kind, name, from) {
    const spec = specFiles.read(kind, name, from);
    if (spec === undefined || !["architectures", "mappings"].includes(kind)) return spec;
    const text = spec.text
      .replace(/^( {2}| {4}array: )2d\b/gm, "$1grid")
      .replace(/^( {2}| {4}array: )1d\b/gm, "$1vector")
      .replace("arrays.1d.", "arrays.vector.");
    return { file: `${kind}.yaml`, text };
  },
};
const bert = loadWorkload(specFiles, "bert");
const resultsOf = (design: Design) =>
  modelResults({
    designs: [design],
    workloads: [bert],
    lengths: [4096],
    phase: "prefill",
    decodeQueries: 1,
    accounting: accountingOf("published", undefined),
  }).results;

describe("arrays by any name", () => {
  const [own] = resultsOf(loadDesign(renamed, "fusemax"));
  const [shipped] = resultsOf(loadDesign(specFiles, "fusemax"));

  it("are as busy as by the paper's", () => {
    expect(shipped?.utilization["2d"]).toBeGreaterThan(0.9);
    expect(own?.utilization).toEqual({ grid: shipped?.util2d, vector: shipped?.util1d });
    expect(own?.largestArray).toBe("grid");
    expect(own).not.toHaveProperty("util2d");
    expect(own).not.toHaveProperty("util1d");
  });

  it("stand in the text, in columns of the table and in the cost of a run", () => {
    const text = modelText(own === undefined ? [] : [own], [], [bert], "published");
    expect(text).toContain("grid busy  vector busy");
    expect(text).toContain("What the grid's PE-cycles are spent on");
    expect(text).toMatch(/RM +vector /);
    const { columns, rows } = modelTable(own === undefined ? [] : [own], "published");
    const cell = (name: string) => rows[0]?.[columns.indexOf(name)];
    expect([cell("util2d"), cell("util.grid"), cell("util.vector")]).toEqual(["", shipped?.util2d, shipped?.util1d]);
    expect(cell("grid.useful")).toBe(shipped?.use["2d"]?.useful);
    const shape = { batch: 1, heads: 1, queries: 1024, keys: 1024, headDim: 64, valueDim: 64 };
    const cost = costOfRun(loadDesign(renamed, "fusemax"), shape, undefined, noMask);
    expect(Object.keys(cost.utilization)).toEqual(["grid", "vector"]);
    expect(cost.utilization["grid"]).toBeGreaterThan(0.3);
  });
});
