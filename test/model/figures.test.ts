import { describe, expect, it } from "vitest";
import { specFiles } from "../../src/io/spec-files.js";
import type { ElementRoles } from "../../src/model/element-roles.js";
import { typedFigures, uniformFigures } from "../../src/model/figures.js";
import type { ArithmeticSpec } from "../../src/numerics/arithmetic.js";
import { loadArithmetic, loadDesign } from "../../src/spec/load.js";
import type { PlacedEinsum, PlacedVariant } from "../../src/spec/placement.js";
import type { Technology } from "../../src/spec/technology.js";

// What operations cost, operator by operator, in a technology of four figures.

const load = (name: string): ArithmeticSpec => loadArithmetic(specFiles, name);
const shipped = loadDesign(specFiles, "fusemax");
const cost = (energyPj: number) => ({ energyPj, areaUm2: 10 * energyPj });
const [mac, add] = [cost(4), cost(1)];
const technology = (more: Partial<Technology> = {}): Technology => ({
  ...shipped.technology.data,
  lacks: [],
  wordBits: 16,
  operations: { mac, add },
  types: undefined,
  ...more,
});

describe("figures of words of one width", () => {
  const [bf16, strict] = [load("bf16"), load("fp16-strict")];

  it("are the technology's, once for an array", () => {
    const figures = uniformFigures(technology(), 16);
    expect([figures.of("any", "mac"), figures.of("any", "exp")]).toEqual([mac, undefined]);
    expect([figures.operators("any", "add"), figures.operators("any", "exp")]).toEqual([[add], []]);
    expect([figures.lacking, figures.assumed]).toEqual([[], undefined]);
  });

  it("are for words of its bits, or of any where it says none", () => {
    const lackingOf = (more: Partial<Technology>, bits: number) => uniformFigures(technology(more), bits).lacking;
    const lacking = ["operators and registers of 8-bit words"];
    expect(lackingOf({}, 8)).toEqual(lacking);
    expect(lackingOf({ wordBits: undefined }, 8)).toEqual([]);
    // What it says itself that it lacks, be it one thing, goes before.
    expect(lackingOf({ lacks: ["DRAM"] }, 8)).toEqual(["DRAM"]);
    expect(lackingOf({ lacks: ["DRAM"] }, 16)).toEqual(["DRAM"]);
  });

  it("stand for sums that are wider, which is said", () => {
    // Both sum in fp32 or fp16: of 32 and of 16 bits.
    const assumedAt = (bits: number, silent: ArithmeticSpec) => uniformFigures(technology(), bits, silent).assumed;
    expect(assumedAt(16, bf16)).toMatch(/every word is charged 16 bits, sums as well \(--arithmetic bf16 /);
    expect([strict.accumulator, assumedAt(16, strict), assumedAt(8, strict)]).toEqual([
      "fp16",
      undefined,
      expect.stringContaining("charged 8 bits"),
    ]);
    expect([assumedAt(32, bf16), assumedAt(31, bf16)]).toEqual([undefined, expect.any(String)]);
  });
});

describe("figures of types", () => {
  const bf16 = load("bf16");
  const fp8 = load("fa4-fp8");
  const factors: Readonly<Record<string, readonly ("q" | "k" | "v" | "p")[]>> = { S: ["q", "k"], O: ["p", "v"] };
  const roles: ElementRoles = { of: () => "accumulator", factors: einsum => factors[einsum] ?? [] };
  const placed = (name: string, ...variants: readonly PlacedVariant[]): PlacedEinsum => ({
    ...(shipped.placement?.[0] as PlacedEinsum),
    name,
    variants,
  });
  const does = (operations: PlacedVariant["operations"], array = "grid"): PlacedVariant => ({ array, operations });
  const all = [placed("S", does({ mac: 1 })), placed("N", does({ add: 1, mac: 2 })), placed("O", does({ mac: 1 }))];
  const figuresOf = (arithmetic: ArithmeticSpec, more: Partial<Technology> = {}, placement = all, bits = 16) =>
    typedFigures(technology(more), bits, arithmetic, placement, roles);
  const typed = { source: "a test", operations: { mac: cost(2) } };
  const registersOfAnyWidth = { readPj: "bits", writePj: "bits", areaUm2: "bits * depth" };

  it("are the technology's own where all operands have its bits, which wider sums are charged, too", () => {
    const figures = figuresOf(bf16);
    expect([figures.of("S", "mac"), figures.of("N", "add"), figures.of("N", "exp")]).toEqual([mac, add, undefined]);
    expect(figures.lacking).toEqual([]);
    expect(figures.assumed).toMatch(/^sums in fp32 are charged .* operators and registers of 16 bits/);
    // Sums of its bits are no wider, and those that it lists have figures of their own.
    expect(figuresOf(load("fp16-strict")).assumed).toBeUndefined();
    const both = { source: "a test", operations: { mac, add } };
    expect(figuresOf(bf16, { types: { fp32: both } }).assumed).toBeUndefined();
    expect(figuresOf(bf16, { types: { fp32: typed } }).assumed).toMatch(/^sums in fp32/);
    // Where nothing is summed apart, none are.
    expect(figuresOf(bf16, {}, [placed("S", does({ mac: 1 }))]).assumed).toBeUndefined();
  });

  it("are of the architecture's words where the technology says no bits", () => {
    expect(figuresOf(bf16, { wordBits: undefined }, all, 16).lacking).toEqual([]);
    expect(figuresOf(bf16, { wordBits: undefined }, all, 8).lacking).toContain("mac of bf16");
    expect(figuresOf(bf16, {}, all, 8).lacking).toEqual([]);
  });

  it("are those listed for a type, and lack what is not", () => {
    expect(figuresOf(fp8).lacking).toEqual([
      "mac of fp8-e4m3",
      "add of fp32",
      "mac of fp32",
      "registers of 8, 32 bits",
    ]);
    const listed = figuresOf(fp8, { types: { "fp8-e4m3": typed } });
    expect([listed.of("S", "mac"), listed.of("N", "mac")]).toEqual([cost(2), undefined]);
    expect(listed.lacking).toEqual(["add of fp32", "mac of fp32", "registers of 8, 32 bits"]);
    expect(listed.assumed).toBeUndefined();
    expect(figuresOf(fp8, { registerFile: registersOfAnyWidth }).lacking).not.toContain("registers of 8, 32 bits");
    // Bits that the technology's own registers have are not lacked.
    expect(figuresOf(fp8, { wordBits: 32 }).lacking).toEqual(["mac of fp8-e4m3", "registers of 8 bits"]);
    expect(figuresOf(fp8, { wordBits: 8 }).lacking).toEqual([]);
    expect(figuresOf(fp8, { lacks: ["DRAM"] }).lacking).toEqual(["DRAM"]);
  });

  it("of one operand with other bits are its own, of the others the technology's", () => {
    const mixed = { ...bf16, operands: { ...bf16.operands, p: fp8.operands.p, v: fp8.operands.v } };
    const figures = figuresOf(mixed);
    expect([figures.of("S", "mac"), figures.of("O", "mac"), figures.of("N", "add")]).toEqual([
      mac,
      undefined,
      undefined,
    ]);
    expect(figures.lacking).toContain("mac of fp8-e4m3");
    expect(figures.lacking).not.toContain("mac of bf16");
  });

  it("are asked for what an Einsum does, in any of its variants", () => {
    const lackingOf = (...variants: readonly PlacedVariant[]) => figuresOf(fp8, {}, [placed("N", ...variants)]).lacking;
    const registers = "registers of 8, 32 bits";
    expect(lackingOf(does({ add: 0, mac: 1 }))).toEqual(["mac of fp32", registers]);
    expect(lackingOf(does({ add: 1 }), does({ add: 0 }))).toEqual(["add of fp32", registers]);
    expect(lackingOf(does({}))).toEqual([registers]);
  });

  it("of an array are one operator for each type in which its Einsums do an operation", () => {
    const types = { "fp8-e4m3": typed, fp32: { source: "a test", operations: { mac: cost(7), add: cost(3) } } };
    const placement = [
      ...all,
      placed("L", does({ add: 1 }, "lanes")),
      placed("P", does({ mac: 1 }, "lanes"), does({ add: 1 })),
    ];
    const figures = figuresOf(fp8, { types }, placement);
    // S and O have one type, N and P the accumulator's, P on the grid in one of two variants.
    expect(figures.operators("grid", "mac")).toEqual([cost(2), cost(7)]);
    expect(figures.operators("lanes", "mac")).toEqual([cost(7)]);
    expect([figures.operators("lanes", "add"), figures.operators("grid", "add")]).toEqual([[cost(3)], [cost(3)]]);
    // What no Einsum does there is the technology's own, if it has it.
    expect([figures.operators("lanes", "exp"), figures.operators("idle", "mac")]).toEqual([[], [mac]]);
    // Types that it does not list share its own operator.
    expect(figuresOf(bf16, {}, placement).operators("grid", "mac")).toEqual([mac]);
    expect(figuresOf(bf16, { types: { fp32: typed } }, placement).operators("grid", "mac")).toEqual([mac, cost(2)]);
    // One that it has no figures for is left out.
    expect(figuresOf(fp8, {}, placement).operators("grid", "mac")).toEqual([]);
  });
});
