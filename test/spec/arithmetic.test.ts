import { describe, expect, it } from "vitest";
import { SpecError } from "../../src/errors.js";
import { specFiles } from "../../src/io/spec-files.js";
import { loadArithmetic } from "../../src/spec/load.js";

const bf16 = { type: "bf16" };
const base = {
  name: "tried",
  source: "a test",
  operands: { q: bf16, k: bf16, v: bf16, p: bf16 },
};

/** YAML of nested maps, one field a line, so that a place in it says something. */
const yaml = (value: object, indent = ""): string =>
  Object.entries(value)
    .map(([key, field]: [string, unknown]) =>
      typeof field === "object" && field !== null && !Array.isArray(field) && key !== "type"
        ? `${indent}${key}:\n${yaml(field, `${indent}  `)}`
        : `${indent}${key}: ${typeof field === "string" ? field : JSON.stringify(field)}\n`,
    )
    .join("");

const load = (fields: object) =>
  loadArithmetic(
    { read: () => ({ file: "own.yaml", text: yaml({ ...base, ...fields }) }), names: () => [] },
    "own.yaml",
  );

const complaint = (fields: object): string => {
  try {
    load(fields);
  } catch (error) {
    if (error instanceof SpecError) return error.message;
    throw error;
  }
  throw new Error("nothing was wrong with it");
};

const operands = (q: object, k: object = q, v: object = bf16, p: object = bf16) => ({ operands: { q, k, v, p } });
const fp8 = (scale: unknown) => ({ type: "fp8-e4m3", scale });
const fp4 = (scale: unknown) => ({ type: "fp4-e2m1", scale });

const cases: Readonly<Record<string, readonly [fields: object, message: RegExp]>> = {
  "an unknown key": [{ rounding: "up" }, /^own\.yaml:12:1 rounding: got the unknown key 'rounding'; .*; remove it/],
  "a type that there is not": [
    operands({ type: "fp9" }),
    /^own\.yaml:5:5 operands\.q\.type: got "fp9"; expected one of/,
  ],
  "a type that is no text": [operands({ type: {} }), /operands\.q\.type: got \{\}/],
  "coefficients that are no numbers": [
    { exp: { coefficients: ["one"] } },
    /^own\.yaml:13:18 exp\.coefficients\.0: got "one"; expected fp32 bits, as 0x3f800000/,
  ],
  "coefficients that are infinite": [{ exp: { coefficients: [0x7f800000] } }, /coefficients\.0: got 2139095040/],
  "no coefficients": [
    { exp: { coefficients: [] } },
    /exp\.coefficients: got \[\]; expected a list of at least 1 entry/,
  ],
  "too many coefficients": [
    { exp: { coefficients: Array(17).fill(0x3f800000) } },
    /exp\.coefficients: got \[1065353216,.*; expected a list of at most 16 entries/,
  ],
  "an offset that is no number": [{ offset: ".nan" }, /offset: got NaN; expected a number/],
  "an offset past 16": [{ offset: 16.5 }, /^own\.yaml:12:1 offset: got 16\.5; expected a number of at most 16/],
  "an offset below -16": [{ offset: -17 }, /offset: got -17; expected a number of at least -16/],
  "a threshold below 0": [{ threshold: -1 }, /threshold: got -1; expected a number of at least 0/],
  "no tokens a scale": [operands(fp8({ rows: 0 })), /operands\.q\.scale\.rows: got 0/],
  "running sums in 16 bits": [
    { accumulator: "bf16", sums: "running" },
    /^own\.yaml:13:1 sums: got "running"; expected tile with a 16-bit accumulator; leave the field out, or take accumulator: fp32/,
  ],
  "fused steps in 16 bits": [{ accumulator: "fp16", exp: { fused: true } }, /exp\.fused: got true; expected false/],
  "block sums in 16 bits": [
    { accumulator: "fp16", dot: { block: 8, align: 24, result: "fp32-rz" } },
    /dot: got \{.*\}; expected chain with a 16-bit accumulator/,
  ],
  "scales in 16 bits": [{ accumulator: "fp16", ...operands(fp8("head")) }, /operands\.q\.scale: got "head"/],
  "values with a scale per row": [
    operands(bf16, bf16, fp8({ rows: 4 })),
    /operands\.v\.scale: got \{"rows":4\}; expected none, tensor, head, mx or nvfp4 for v/,
  ],
  "numerators with a scale per head": [operands(bf16, bf16, bf16, fp8("head")), /operands\.p\.scale: got "head"/],
  "blocks of q alone": [operands(fp8("mx"), fp8("head")), /operands\.q\.scale: got "mx"; expected the scale of k/],
  "blocks of v alone": [operands(bf16, bf16, fp8("mx")), /operands\.p\.scale: got nothing; expected the scale of v/],
  "mx of bf16": [operands({ type: "bf16", scale: "mx" }), /operands\.q\.type: got "bf16"; expected one of fp8-e4m3/],
  "mx of int8": [operands({ type: "int8", scale: "mx" }), /operands\.q\.type: got "int8"; expected one of fp8-e4m3/],
  "nvfp4 of fp8": [operands(fp8("nvfp4")), /operands\.q\.type: got "fp8-e4m3"; expected fp4-e2m1 with scale nvfp4/],
  "a scale of fp32": [operands({ type: "fp32", scale: "head" }), /operands\.q\.scale: got "head"; expected none/],
  "mx keys in descending order": [
    { ...operands(fp8("mx")), keys: "descending" },
    /keys: got "descending"; expected ascending with scales mx and nvfp4; leave keys out/,
  ],
  "mx in steps of 16": [
    { ...operands(fp8("mx")), dot: { block: 16, align: 25, result: "fp32-rz" } },
    /dot\.block: got 16; expected 32 with scales mx/,
  ],
  "nvfp4 in steps": [
    { ...operands(fp4("nvfp4")), dot: { block: 32, align: 25, result: "fp32-rz" } },
    /dot: got \{.*\}; expected chain with scales nvfp4; leave dot out/,
  ],
  "a step of no positions": [{ dot: { block: 0, align: 25, result: "fp32-rz" } }, /dot\.block: got 0/],
  "a step that is cut above itself": [{ dot: { block: 8, align: -1, result: "fp32-rz" } }, /dot\.align: got -1/],
};

describe("an arithmetic's file", () => {
  it.each(Object.entries(cases))("refuses %s at its place", (_, [fields, message]) => {
    expect(complaint(fields)).toMatch(message);
  });

  it("is bf16 where only names, source and operands are given", () => {
    const { name: _, source: __, ...fields } = load({});
    const { name: ___, source: ____, ...expected } = loadArithmetic(specFiles, "bf16");
    expect(fields).toEqual(expected);
  });

  it("has coefficients as numbers or texts", () => {
    const { exp } = load({ exp: { coefficients: ["0x3f800000", 0x3f31725d] } });
    expect(exp).toEqual({ coefficients: [0x3f800000, 0x3f31725d], fused: false });
  });

  it("rounds offset and threshold to fp32", () => {
    const { offset, threshold } = load({ offset: 8.807, threshold: 0.3 });
    expect([offset, threshold]).toEqual([Math.fround(8.807), Math.fround(0.3)]);
  });

  it("is named as its file, with a source and what is not known", () => {
    expect(specFiles.names("arithmetic")).toContain("bf16");
    for (const name of specFiles.names("arithmetic")) {
      const arithmetic = loadArithmetic(specFiles, name);
      expect(arithmetic.name).toBe(name);
      expect(arithmetic.source.length).toBeGreaterThan(20);
      expect(specFiles.read("arithmetic", name)?.text).toContain("Not known");
    }
  });

  it("is missed by name", () => {
    expect(() => loadArithmetic(specFiles, "fp7")).toThrow(
      /^arithmetic: got "fp7"; expected one of .* others in specs\/arithmetic/,
    );
  });
});
