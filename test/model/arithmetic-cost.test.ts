import { describe, expect, it } from "vitest";
import { biasRanks } from "../../src/attention/score-terms.js";
import { specFiles } from "../../src/io/spec-files.js";
import { accessTable } from "../../src/model/access-table.js";
import { published } from "../../src/model/accounting.js";
import { withOperations } from "../../src/model/arithmetic-operations.js";
import { compileDesign } from "../../src/model/compile.js";
import { accountingOf } from "../../src/model/corrections.js";
import { typeOfOperation } from "../../src/model/element-roles.js";
import { type Evaluation, evaluate, mapDesign } from "../../src/model/evaluate.js";
import type { Patch } from "../../src/model/patch.js";
import type { Sizes } from "../../src/model/sizes.js";
import type { ArithmeticSpec } from "../../src/numerics/arithmetic.js";
import type { Design } from "../../src/spec/design.js";
import { loadArithmetic, loadDesign } from "../../src/spec/load.js";
import { designWithTerms } from "../../src/spec/score-terms/design.js";
import type { Technology } from "../../src/spec/technology.js";

/** Law: words have the bits of the arithmetic's types and scales, counts are its operations, and no figure is made up. */
const corrected = accountingOf("corrected", undefined);
const shipped = loadDesign(specFiles, "fusemax");
const names = specFiles.names("arithmetic");
const load = (name: string): ArithmeticSpec => loadArithmetic(specFiles, name);
const inArithmetic = (arithmetic: ArithmeticSpec, design: Design = shipped): Design => ({
  ...design,
  arithmetic: { ...design.arithmetic, data: arithmetic },
  arithmeticBy: "command",
});
/** One block of queries: K and V come from DRAM once. */
const sizes: Sizes = { B: 2, H: 3, E: 64, F: 64, M: 1024, queries: 1024, modelDim: 192, feedForward: 768 };
const heads = 2 * 3;

const costOf = (design: Design, accounting = corrected, patches: readonly Patch[] = []): Evaluation =>
  evaluate(compileDesign(design, { corrections: accounting.corrections, patches }), sizes, accounting);

const operationsOf = ({ counts }: Evaluation, einsum: string): Readonly<Record<string, number>> => {
  const found = counts.find(({ name }) => name === einsum);
  const points = found?.points ?? 1;
  const all = (found?.operations ?? []).map(({ name, count }) => [name, count / points] as const);
  return Object.fromEntries(all.filter(([, times]) => times !== 0));
};

describe("words", () => {
  it.each([
    ["bf16", 16, 16, 16],
    ["fp32", 32, 32, 32],
    ["fa4-fp8", 8 + 32 / (1024 * 64), 8 + 32 / (1024 * 64), 16],
    ["mxfp8", 8 + 8 / 32, 8 + 8 / 32, 16],
    ["mxfp6", 6 + 8 / 32, 6 + 8 / 32, 16],
    ["nvfp4", 4 + 8 / 16 + 32 / (1024 * 64), 4 + 8 / 16 + 32 / (1024 * 64), 16],
  ])("of %s in DRAM are its operands with their scales, and its output", (name, qk, v, output) => {
    const { trafficBytes, elementBits } = costOf(inArithmetic(load(name)));
    const bits = heads * (1024 * 64) * (2 * qk + v + output);
    expect(trafficBytes).toBeCloseTo(bits / 8, 6);
    expect(elementBits).toMatchObject({ output, accumulator: 32 });
  });

  it("have a scale for so many rows", () => {
    const { operands } = load("int8-qk");
    expect([operands.q.scale, operands.k.scale]).toEqual([{ rows: 128 }, { rows: 64 }]);
    const { elementBits } = costOf(inArithmetic(load("int8-qk")));
    expect(elementBits?.q).toBeCloseTo(8 + 32 / (128 * 64), 12);
    expect(elementBits?.k).toBeCloseTo(8 + 32 / (64 * 64), 12);
  });

  it("of accumulators take the room of their bits in the buffer: fewer queries fit, and K and V come more often", () => {
    const at = { ...sizes, M: 2 ** 16, queries: 2 ** 16 };
    const traffic = (name: string): number =>
      evaluate(compileDesign(inArithmetic(load(name)), corrected), at, corrected).trafficBytes;
    expect(traffic("bf16")).toBeGreaterThan(traffic("bf16-strict"));
  });

  it("are those of wordBits in a design that names no arithmetic, and where wordBits is set", () => {
    expect(costOf(shipped)).toMatchObject({ arithmetic: null, elementBits: null, wordBits: 16 });
    expect(costOf(shipped).assumed).toMatch(/^no arithmetic is named: every word is charged 16 bits, sums as well/);
    const named: Design = { ...shipped, arithmeticBy: "design" };
    expect(costOf(named).elementBits).toMatchObject({ q: 16, accumulator: 32, output: 16 });
    const set: readonly Patch[] = [{ path: "architecture.wordBits", value: 8, where: "--set architecture.wordBits" }];
    expect(costOf(named, corrected, set)).toMatchObject({ arithmetic: null, wordBits: 8 });
    expect(costOf(inArithmetic(load("fp32")), corrected, set).elementBits?.q).toBe(32);
  });

  it("are of 16 bits in the published accounting, in any arithmetic", () => {
    const numbers = ({ counts, ...rest }: Evaluation) => ({ ...rest, cycles: counts.map(({ cycles }) => cycles) });
    const usual = numbers(costOf(shipped, published));
    for (const name of names) expect(numbers(costOf(inArithmetic(load(name)), published)), name).toEqual(usual);
  });
});

describe("operations", () => {
  it.each([
    ["bf16", { mac: 6, add: 1 }, { divide: 1 }, { add: 1 }],
    // A cubic; t in one multiply-accumulate, another for b in place of the subtraction; sums that run.
    ["fa4-bf16", { mac: 5 }, { divide: 1 / 64, mac: 1 }, {}],
    // A scale for each score, and V's at the end.
    ["fa4-fp8", { mac: 6 }, { divide: 1 / 64, mac: 2 }, {}],
    // Two blocks of 32 a score, and the numerators' scales.
    ["mxfp8", { mac: 6 + 2 + 1, add: 1, max: 1 }, { divide: 1 }, { add: 1 }],
    ["nvfp4", { mac: 6 + 8 + 1, add: 1, max: 1 }, { divide: 1 }, { add: 1 }],
    ["int8-qk", { mac: 7, add: 1 }, { divide: 1 }, { add: 1 }],
  ])("of %s are its own", (name, numerators, output, sums) => {
    const found = costOf(inArithmetic(load(name)));
    expect(operationsOf(found, "SLN")).toEqual(numerators);
    expect(operationsOf(found, "AV")).toEqual(output);
    expect(operationsOf(found, "RNV")).toEqual(sums);
  });

  it("of scales come with no exponential of what is made of scores", () => {
    expect(operationsOf(costOf(inArithmetic(load("mxfp8"))), "PRM")).toEqual({ mac: 6, add: 1 });
  });

  it("of scales come with the exponential of scores that something was added to, too", () => {
    const { design } = designWithTerms(shipped, { softcap: null, bias: biasRanks([1, 3, 1024, 1024], 8) });
    expect(operationsOf(costOf(inArithmetic(load("mxfp8"), design)), "SLN")).toEqual({
      mac: 6 + 2 + 1,
      add: 1,
      max: 1,
    });
  });

  it("of V's scale are one for each output, where the output is a sum", () => {
    const flat = inArithmetic(load("fa4-fp8"), loadDesign(specFiles, "flat"));
    const unit = evaluate(compileDesign(flat, { corrections: ["words"] }), sizes, corrected);
    expect(operationsOf(unit, "AV")).toEqual({ mac: 1 + 1 / sizes.M });
  });

  it("follow the coefficients of an exponential, on arrays without an exp unit", () => {
    const bf16 = load("bf16");
    for (const degree of [1, 2, 3, 5, 6, 7]) {
      const coefficients = Array.from({ length: degree + 1 }, () => 0x3f800000);
      const spec = { ...bf16, exp: { coefficients, fused: degree % 2 === 0 } };
      const found = costOf(inArithmetic(spec));
      expect(operationsOf(found, "SLN")).toEqual({ mac: degree + 1, add: 1 });
      expect(operationsOf(found, "PRM")).toEqual({ mac: degree + 1, add: 1 });
      const withUnit = inArithmetic(spec, loadDesign(specFiles, "flat"));
      const unit = evaluate(compileDesign(withUnit, { corrections: ["words"] }), sizes, corrected);
      expect(operationsOf(unit, "SN")).toEqual({ exp: 1, add: 1 });
      expect(operationsOf(costOf(withUnit), "SN")).toEqual({ mac: degree + 1, add: 1 });
    }
  });

  it("of scales that a tensor core adds inside its steps are none", () => {
    const { dot } = load("blackwell-fp8");
    const found = costOf(inArithmetic({ ...load("mxfp8"), dot }));
    // The numerators' scale alone.
    expect(operationsOf(found, "SLN")).toEqual({ mac: 6 + 1, add: 1, max: 1 });
  });

  it("are added to each variant of a mapping, and to no other Einsum", () => {
    const { data } = loadDesign(specFiles, "flat").mapping;
    const more = withOperations(data, new Map([["QK", [["mac", 2]] as const]]));
    const operations = (mapping: typeof data, name: string) => {
      const entry = mapping.einsums[name];
      if (entry === undefined) throw new Error(name);
      return ("variants" in entry ? entry.variants : [entry]).map(own => own.operations);
    };
    expect(operations(data, "QK").length).toBeGreaterThan(1);
    expect(operations(more, "QK")).toEqual(operations(data, "QK").map(() => ({ mac: 1 + 2 })));
    expect(operations(more, "AV")).toEqual(operations(data, "AV"));
  });
});

describe("energy and area", () => {
  it("are not known where the technology has no operator of the types, and what it lacks is named", () => {
    const { missing, lacking, assumed } = costOf(inArithmetic(load("fa4-fp8")));
    expect(missing).toEqual(["energyPj", "areaUm2"]);
    expect(lacking).toEqual([
      ...["mac of fp8-e4m3", "max of fp32", "add of fp32", "mac of fp32", "divide of fp32", "registers of 8, 32 bits"],
    ]);
    expect(assumed).toBeNull();
  });

  it("are not known for some operands of other bits, though others have the technology's", () => {
    const { lacking } = costOf(inArithmetic({ ...load("bf16"), operands: load("mxfp8").operands }));
    expect(lacking).toContain("mac of fp8-e4m3");
    const bf16 = load("bf16");
    const { v } = load("fa4-fp8").operands;
    const mixed = costOf(inArithmetic({ ...bf16, operands: { ...bf16.operands, p: v, v } }));
    // BQK has 16-bit factors; SLNV has not.
    expect(mixed.lacking).toContain("mac of fp8-e4m3");
    expect(mixed.lacking).not.toContain("mac of bf16");
    // Words are as wide as the widest operand.
    expect(mixed.wordBits).toBe(16);
  });

  it("of a product have the type of its wider factor, all else the accumulator's", () => {
    const [narrow, wide] = [load("fa4-fp8").operands.q, load("bf16").operands.q];
    const bf16 = load("bf16");
    const typeOf = (q: typeof narrow, k: typeof narrow, operation: string): string => {
      const roles = { of: () => "accumulator" as const, factors: () => ["q", "k"] as const };
      return typeOfOperation({ ...bf16, operands: { ...bf16.operands, q, k } }, roles, "BQK", operation).name;
    };
    expect([typeOf(narrow, wide, "mac"), typeOf(wide, narrow, "mac"), typeOf(narrow, narrow, "mac")]).toEqual([
      ...[wide.type.name, wide.type.name, narrow.type.name],
    ]);
    expect(typeOf(narrow, narrow, "add")).toBe("fp32");
    const none = { of: () => "accumulator" as const, factors: () => [] };
    expect(typeOfOperation(bf16, none, "SPNV", "mac").name).toBe("fp32");
  });

  it("of 16-bit operands are those of the technology's words, and wider sums are said to be", () => {
    const [bf16, strict] = ["bf16", "fp16-strict"].map(name => costOf(inArithmetic(load(name)))) as [
      Evaluation,
      Evaluation,
    ];
    expect([bf16.lacking, strict.lacking, strict.assumed]).toEqual([[], [], null]);
    expect(bf16.assumed).toMatch(/^sums in fp32 are charged 45nm's operators and registers of 16 bits/);
    expect(bf16.areaUm2).toBe(strict.areaUm2);
  });

  it("are those of the types where a technology gives them", () => {
    const base = shipped.technology.data;
    const cost = (energyPj: number) => ({ energyPj, areaUm2: 10 * energyPj });
    const data: Technology = {
      ...base,
      types: {
        "fp8-e4m3": { source: "a test", operations: { mac: cost(1) } },
        fp32: { source: "a test", operations: { mac: cost(7), add: cost(2), max: cost(0.5), divide: cost(30) } },
      },
      registerFile: { readPj: "bits", writePj: "bits", areaUm2: "bits * depth" },
    };
    const design = inArithmetic(load("fa4-fp8"), {
      ...shipped,
      technology: { ...shipped.technology, data, raw: data },
    });
    const { missing, lacking, einsumEnergyPj, componentEnergyPj, counts, componentAreaUm2 } = costOf(design);
    expect([missing, lacking]).toEqual([[], []]);
    const points = (name: string): number => counts.find(count => count.name === name)?.points ?? 0;
    const onArray = ["BQK", "LM", "SLN", "SLD", "SLNV"];
    const spent = points("BQK") + points("SLNV") + 0.5 * points("LM") + 6 * 7 * points("SLN") + 2 * points("SLD");
    expect(componentEnergyPj["compute.2d"] ?? 0).toBeCloseTo(spent, 0);
    expect(onArray.every(name => (einsumEnergyPj[name] ?? 0) > 0)).toBe(true);
    // Two multiply-accumulates, of factors and of accumulators, beside an adder and a maximum, in each PE.
    expect(componentAreaUm2["compute.2d"]).toBeCloseTo(256 * 256 * 10 * (1 + 7 + 2 + 0.5), 3);
    // Registers are listed for the machine's own words.
    const compiled = compileDesign(design, corrected);
    const { memories } = accessTable(compiled, mapDesign(compiled, sizes, corrected).values, {});
    expect(memories.filter(({ kind }) => kind === "registers").map(({ readPj }) => readPj)).toEqual([16, 16, 16]);
    // A PE's 12 registers hold sums, which are wider than operands.
    expect(componentAreaUm2["registers2d"]).toBe(256 * 256 * 12 * 32);
  });
});
