import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parseCsv } from "../../src/io/csv.js";
import { specFiles } from "../../src/io/spec-files.js";
import { paperEvaluation } from "../../src/model/evaluation.js";
import { headlines, publishedTables } from "../../src/report/reproduction.js";

/**
 * Law: the `published` accounting is the authors' own evaluation, to the last digits. Sums of a few hundred products
 * in doubles, in another order than theirs, differ by at most some 2^-52 each: 1e-12 leaves a wide margin.
 */
const relativeBound = 1e-12;
const evaluation = paperEvaluation(specFiles, { attention: true, endToEnd: true, pareto: true });
const tables = publishedTables(evaluation);

const files = [
  "attn-unfused",
  "attn-flat",
  "attn-cascade",
  "attn-arch",
  "attn-binding",
  "end2end-flat",
  "end2end-proposal",
  "pareto",
];

describe.each(files)("%s.csv", file => {
  const ours = tables.get(file);
  const golden = parseCsv(readFileSync(new URL(`../golden/published/${file}.csv`, import.meta.url), "utf8"));
  const keys = file === "pareto" ? 3 : 2;

  it("has the authors' columns and 24 rows in their order", () => {
    expect(ours?.columns).toEqual(golden.columns);
    expect(ours?.rows.length).toBe(24);
    const names = ours?.rows.map(row => row.slice(0, keys).join()) ?? [];
    const published = golden.rows.map(row => row.slice(0, keys).join());
    expect(names.filter(name => published.includes(name))).toEqual(published);
  });

  it.each(golden.rows)("equals the published row %s %s", (...cells) => {
    const row = ours?.rows.find(candidate => candidate.slice(0, keys).join() === cells.slice(0, keys).join());
    golden.columns.slice(keys).forEach((column, c) => {
      const want = Number(cells[keys + c]);
      const got = Number(row?.[keys + c]);
      expect(Math.abs(got - want) / want, `${column}: ${got} for ${want}`).toBeLessThanOrEqual(relativeBound);
    });
  });
});

it("gives the paper's headline numbers, to the digits that it prints", () => {
  for (const { what, base, paper, ours } of headlines(evaluation)) {
    const digits = String(paper).split(".")[1]?.length ?? 0;
    expect(Number(ours.toFixed(what.endsWith("speedup") ? 2 : digits)), `${what} vs ${base}`).toBe(paper);
  }
});

it("gives the paper's utilization of the 2D array, BERT on +Binding", () => {
  const points = evaluation.designs.get("fusemax")?.points.filter(p => p.model === "BERT") ?? [];
  const shown = points.map(p => p.evaluation.utilization["2d"]?.toFixed(3));
  expect(shown).toEqual(["0.890", "0.965", "0.986", "0.991", "0.992", "0.993"]);
});
