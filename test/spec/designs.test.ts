import { describe, expect, it } from "vitest";
import { specFiles } from "../../src/io/spec-files.js";
import { compileDesign } from "../../src/model/compile.js";
import { loadDesign, loadWorkload } from "../../src/spec/load.js";

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

  it("designs have their cascades, the products of a layer have none", () => {
    const cascades = designs.map(name => [name, loadDesign(specFiles, name).cascade?.name]);
    expect(Object.fromEntries(cascades)).toEqual({
      a100: "attention-1-pass",
      "a100-sm": "attention-1-pass",
      architecture: "attention-1-pass",
      "beyond-decode": "attention-1-pass",
      "beyond-long": "attention-1-pass",
      "beyond-short": "attention-1-pass",
      "beyond-wide": "attention-1-pass",
      cascade: "attention-1-pass",
      flat: "attention-3-pass",
      fsa: "attention-1-pass",
      fusemax: "attention-1-pass",
      "fusemax-scaled": "attention-1-pass",
      "lean-decode": "attention-1-pass",
      "linear-flat": undefined,
      "linear-fusemax": undefined,
      product: undefined,
      "tpu-v4": "attention-1-pass",
      unfused: "attention-3-pass",
    });
  });
});

describe("what is derived of FuseMax", () => {
  const { mapping, placement } = loadDesign(specFiles, "fusemax");
  const placed = new Map(placement?.map(einsum => [einsum.name, einsum]));

  it("is every Einsum that computes, by the cascade's names", () => {
    const names = ["BQK", "LM", "RM", "PRM", "SPD", "SPNV", "SLN", "SLD", "SLNV", "RD", "RNV", "AV"];
    expect([...placed.keys()]).toEqual(names);
    expect(Object.keys(mapping.data.einsums)).toEqual(names);
  });

  it.each([
    ["BQK", { mac: 1 }],
    ["LM", { max: 1 }],
    ["RM", { max: 1 }],
    ["PRM", { add: 1, mac: 6 }],
    ["SLN", { add: 1, mac: 6 }],
    ["SLD", { add: 1 }],
    ["SPNV", { mac: 1 }],
    ["RNV", { add: 1 }],
    ["AV", { divide: 1 }],
  ])("the operations of %s", (name, operations) => {
    expect(placed.get(name)?.variants.map(variant => variant.operations)).toEqual([operations]);
  });

  it("one exponential where the array has a unit", () => {
    const unit = loadDesign(specFiles, "cascade").placement?.find(({ name }) => name === "SLN");
    expect(unit?.variants).toEqual([{ array: "1d", operations: { add: 1, exp: 1, mac: 0 } }]);
  });

  it.each([
    ["RM", ["RM0 carried", "LM"], "M1"],
    ["PRM", ["RM0 carried", "RM"], null],
    ["RNV", ["SLNV", "SPNV"], "M1"],
    ["AV", ["RNV", "RD"], null],
  ])("what %s reads, and what the tile before left of it", (name, reads, iterates) => {
    const einsum = placed.get(name);
    expect(einsum?.reads.map(read => `${read.name}${read.carried ? " carried" : ""}`)).toEqual(reads);
    expect(einsum?.iterates).toBe(iterates);
  });

  it.each([
    ["RNV", "SLNV", ["F", "M1", "P"], []],
    ["SLNV", "SLN", ["M1", "P"], ["M0"]],
    ["LM", "BQK", ["M1", "P"], ["M0"]],
    ["AV", "RNV", ["F", "P"], []],
  ])("%s goes along with %s element by element on some ranks", (name, tensor, elementwise, whole) => {
    const read = placed.get(name)?.reads.find(other => other.tensor === tensor);
    expect([read?.elementwise, read?.whole]).toEqual([elementwise, whole]);
  });

  it("the ranks of its tensors are the cascade's and the batch's; SLNV's are the published ones", () => {
    expect(mapping.data.tensors).toMatchObject({
      BK: ["B", "H", "E", "M"],
      BQK: ["B", "H", "G", "M", "P"],
      RM0: ["B", "H", "G", "M1", "P"],
      SLNV: ["B", "H", "G", "F", "P"],
      AV: ["B", "H", "G", "F", "P"],
    });
    expect(mapping.data.inPlace).toEqual({ RM0: "RM", RD0: "RD", RNV0: "RNV" });
  });
});
