import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parseCsv } from "../../src/io/csv.js";
import { specFiles } from "../../src/io/spec-files.js";
import { published } from "../../src/model/accounting.js";
import {
  evaluatePoints,
  type PaperEvaluation,
  paperDesigns,
  paperEvaluation,
  paperLengths,
  paperWorkloads,
} from "../../src/model/evaluation.js";
import { headlines, publishedTables } from "../../src/report/reproduction.js";
import { loadDesign, loadWorkload } from "../../src/spec/load.js";

/**
 * Law: the `published` accounting is the authors' own evaluation, to the last digits. Sums of a few hundred products
 * in doubles, in another order than theirs, differ by at most some 2^-52 each: 1e-12 leaves a wide margin.
 */
const relativeBound = 1e-12;

function expectPublished(file: string, evaluation: PaperEvaluation): void {
  const ours = publishedTables(evaluation).get(file);
  const golden = parseCsv(readFileSync(new URL(`../golden/published/${file}.csv`, import.meta.url), "utf8"));
  const keys = file === "pareto" ? 3 : 2;
  const nameOf = (row: readonly (string | number)[]): string => row.slice(0, keys).join();
  expect(ours?.columns, file).toEqual(golden.columns);
  expect(ours?.rows.length, file).toBe(24);
  const published = golden.rows.map(nameOf);
  expect(ours?.rows.map(nameOf).filter(name => published.includes(name))).toEqual(published);
  for (const cells of golden.rows) {
    const row = ours?.rows.find(candidate => nameOf(candidate) === nameOf(cells));
    golden.columns.slice(keys).forEach((column, c) => {
      const want = Number(cells[keys + c]);
      const got = Number(row?.[keys + c]);
      const where = `${file}, ${nameOf(cells)}, ${column}: ${got} for ${want}`;
      expect(Math.abs(got - want) / want, where).toBeLessThanOrEqual(relativeBound);
    });
  }
}

const workloads = paperWorkloads.map(name => loadWorkload(specFiles, name));
const evaluated: Record<string, PaperEvaluation["designs"] extends ReadonlyMap<string, infer One> ? One : never> = {};

/** A design's points; each test of a table evaluates them for itself, so that it sees what a change does to it. */
function evaluateAnew(name: string): PaperEvaluation {
  const design = loadDesign(specFiles, name);
  const one = { design, points: evaluatePoints(design, workloads, paperLengths, published) };
  evaluated[name] = one;
  return { designs: new Map([[name, one]]), pareto: [] };
}

describe("the published accounting", () => {
  it.each([
    ["unfused", "attn-unfused"],
    ["flat", "attn-flat"],
    ["cascade", "attn-cascade"],
    ["architecture", "attn-arch"],
    ["fusemax", "attn-binding"],
    ["linear-flat", "end2end-flat"],
    ["linear-fusemax", "end2end-proposal"],
  ])("has the authors' columns, rows and figures of %s", (design, file) => {
    expectPublished(file, evaluateAnew(design));
  });

  it("has their figures of area and latency", () => {
    expectPublished("pareto", paperEvaluation(specFiles, { attention: false, endToEnd: false, pareto: true }));
  });

  it("gives the paper's headline numbers, to the digits that it prints, and its utilization of the 2D array", () => {
    const names = [...paperDesigns, "linear-flat", "linear-fusemax"];
    for (const name of names) if (evaluated[name] === undefined) evaluateAnew(name);
    const designs = new Map(Object.entries(evaluated));
    for (const { what, base, paper, ours } of headlines({ designs, pareto: [] })) {
      const digits = String(paper).split(".")[1]?.length ?? 0;
      expect(Number(ours.toFixed(what.endsWith("speedup") ? 2 : digits)), `${what} vs ${base}`).toBe(paper);
    }
    const bert = designs.get("fusemax")?.points.filter(p => p.model === "BERT") ?? [];
    const shown = bert.map(p => p.evaluation.utilization["2d"]?.toFixed(3));
    expect(shown).toEqual(["0.890", "0.965", "0.986", "0.991", "0.992", "0.993"]);
  });
});
