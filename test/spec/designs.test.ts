import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parseCascade } from "../../src/einsum/cascade.js";
import { specFiles } from "../../src/io/spec-files.js";
import { compileDesign } from "../../src/model/compile.js";
import { loadDesign, loadWorkload } from "../../src/spec/load.js";
import type { EinsumMapping } from "../../src/spec/mapping.js";

const designs = specFiles.names("designs");

describe("the specs that come with the package", () => {
  it.each(designs)("design %s is read and compiled", name => {
    const design = loadDesign(specFiles, name);
    expect(design.name).toBe(name);
    expect(() => compileDesign(design)).not.toThrow();
  });

  it.each(specFiles.names("workloads"))("workload %s is read and says its source", name => {
    expect(loadWorkload(specFiles, name).source).not.toBe("");
  });
});

/** The model's names for the cascades' tensors: scores are QK on every design, and what m1 reads is written apart from what it writes. */
const cascadeName = (tensor: string): string => (tensor === "QK" ? "BQK" : tensor.replace(/^(RM|RD|RNV)0$/, "$1"));

const withCascade = designs.flatMap(name => {
  const { cascade } = loadDesign(specFiles, name).spec.data;
  return cascade === undefined ? [] : [[name, cascade] as const];
});

describe.each(withCascade)("the mapping of %s", (name, cascadeFile) => {
  const text = readFileSync(new URL(`../../specs/cascades/${cascadeFile}.cascade`, import.meta.url), "utf8");
  const cascade = parseCascade(text, cascadeFile);
  const rename = cascadeFile === "attention-1-pass" ? cascadeName : (tensor: string): string => tensor;
  const extended = cascade.einsums.filter(e => e.iteration?.role !== "init" && !/^B[KV]$/.test(e.tensor));
  const { einsums } = loadDesign(specFiles, name).mapping.data;
  const mapped = Object.entries(einsums).flatMap(([einsum, spec]): [string, EinsumMapping][] =>
    "variants" in spec ? spec.variants.map(variant => [einsum, variant]) : [[einsum, spec]],
  );

  it(`maps every Einsum of ${cascadeFile}, and no other`, () => {
    const names = new Set(mapped.map(([einsum]) => rename(einsum)));
    expect([...names].sort()).toEqual(extended.map(e => e.tensor).sort());
  });

  it.each(mapped)("%s reads and writes the cascade's tensors", (einsum, { inputs, output }) => {
    const source = extended.find(e => e.tensor === rename(einsum));
    expect(rename(output)).toBe(rename(einsum));
    expect([...new Set(inputs.map(rename))].sort()).toEqual([...new Set(source?.reads.map(r => r.tensor))].sort());
  });
});
