import { describe, expect, it } from "vitest";
import { accessTable } from "../../src/model/access-table.js";
import { levelRates } from "../../src/model/level-rates.js";
import { type Change, evaluateWith, l1Reads, l1Writes, level, modelWith, steps } from "./one-product.js";

// Law: every figure of one small product is the one that is worked out by hand, term by term.

const points = 128 * 16 * 8;
/** Words between DRAM and the chip: X and Y once, W once for all cores. */
const dramWords = 128 * 16 + 16 * 8 + 128 * 8;
/** A PE's registers take a word of X and one of W in each step, and a sum; sums come back but for the first of each. */
const [registerReads, registerWrites] = [2 * steps + (steps - 2 * 2 * 8), 3 * steps];
const energies: readonly Change[] = [
  level("l1", "energyPj: { read: 3, write: 5 }"),
  level("rf", "energyPj: { read: 0.5, write: 0.25 }"),
];
/** 45 nm: HBM2 for 64 bits; a multiply-accumulate and an exponential. */
const dramPj = 249.6;
const mac = { energyPj: 17.1645, areaUm2: 1545 };
const exp = { energyPj: 94.6475, areaUm2: 8240 };

describe("the energy of a product", () => {
  it("is its accesses times theirs, all register files and all cores, and its operations times theirs", () => {
    const { componentEnergyPj, einsumEnergyPj, energyPj, trafficBytes } = evaluateWith(energies);
    const parts = {
      l1: (4 * (3 * l1Reads + 5 * l1Writes)) / 4,
      rf: 32 * (0.5 * registerReads + 0.25 * registerWrites),
      dram: ((2 * dramWords) / 8) * dramPj,
      "compute.grid": points * mac.energyPj,
    };
    expect(trafficBytes).toBe(2 * dramWords);
    expect(Object.keys(componentEnergyPj).sort()).toEqual(Object.keys(parts).sort());
    for (const [name, part] of Object.entries(parts)) expect(componentEnergyPj[name], name).toBeCloseTo(part, 5);
    const sum = Object.values(parts).reduce((a, b) => a + b, 0);
    expect(energyPj).toBeCloseTo(sum, 4);
    expect(einsumEnergyPj["Y"]).toBeCloseTo(sum, 4);
  });

  it("is that of one register file and one core's buffer in the published accounting", () => {
    const { componentEnergyPj } = modelWith(energies, {}, []).evaluation;
    expect(componentEnergyPj["rf"]).toBeCloseTo(0.5 * registerReads + 0.25 * registerWrites, 6);
  });

  it("is the technology's where the levels say none: registers by their depth, words of 16 bits", () => {
    const { componentEnergyPj } = evaluateWith([]);
    expect(componentEnergyPj["rf"]).toBeCloseTo(32 * (2.182395 * registerReads + 1.894395 * registerWrites), 3);
  });

  it("charges DRAM what spills of a tensor, and what of its words is left", () => {
    const { trafficBytes, componentEnergyPj } = evaluateWith([
      ["keep: { dram", "spill: { X: 0.25 }\n    keep: { dram"],
    ]);
    const xAtBuffer = 4 * 8 * steps;
    const words = dramWords - 0.25 * 128 * 16 + 0.25 * xAtBuffer;
    expect(trafficBytes).toBeCloseTo(2 * words, 9);
    expect(componentEnergyPj["dram"]).toBeCloseTo(((2 * words) / 8) * dramPj, 4);
  });

  it("is not charged where the published accounting leaves it out, and is when that is corrected", () => {
    const free: Change = [
      "binding: small }",
      "binding: small, unchargedWhenPublished: [{ correction: exp-energy, operation: mac }] }",
    ];
    expect(modelWith([free], {}, []).evaluation.componentEnergyPj["compute.grid"]).toBeUndefined();
    const charged = modelWith([free], {}, ["exp-energy"]).evaluation;
    expect(charged.componentEnergyPj["compute.grid"]).toBeCloseTo(points * mac.energyPj, 5);
  });
});

describe("the area of a product's machine", () => {
  it("is that of every instance of what says its own, and of each PE's operators", () => {
    const said: readonly (readonly [string, number, number])[] = [
      ["dram", 9, 1],
      ["core", 7, 4],
      ["l1", 100, 4],
      ["pe", 11, 32],
      ["rf", 2, 32],
    ];
    const { componentAreaUm2, areaUm2 } = evaluateWith(said.map(([name, area]) => level(name, `areaUm2: ${area}`)));
    const parts = Object.fromEntries(said.map(([name, area, count]) => [name, area * count]));
    const compute = 32 * (mac.areaUm2 + exp.areaUm2);
    expect(componentAreaUm2).toEqual({ ...parts, "compute.grid": compute });
    expect(areaUm2).toBe(Object.values(parts).reduce((a, b) => a + b, compute));
  });

  it("is the technology's where they say none", () => {
    const { componentAreaUm2, estimatedBuffers } = evaluateWith([]);
    const registers = 5.98 * 32 * 64 + 71 * 64 + 2 * 5.81742 * Math.ceil(Math.log2(4));
    expect(componentAreaUm2["rf"]).toBeCloseTo(32 * registers, 4);
    // The table's rows are of 256 to 8192 bits.
    expect(estimatedBuffers).toEqual({ l1: "extrapolated" });
    expect(evaluateWith([["rowWords: 4", "rowWords: 64"]]).estimatedBuffers).toEqual({});
    expect(evaluateWith([["rowWords: 4", "rowWords: 40"]]).estimatedBuffers).toEqual({ l1: "interpolated" });
  });

  it("counts registers that are another level's there alone", () => {
    const own: Change = ["  rf: {", "  own: { kind: registers, within: pe, depth: 4, sameAs: rf }\n  rf: {"];
    const { componentAreaUm2 } = evaluateWith([
      own,
      ["registers, within: pe, depth: 4 }", "registers, within: own, depth: 4 }"],
    ]);
    expect(componentAreaUm2["own"]).toBeUndefined();
  });
});

describe("the table of accesses", () => {
  it("has each memory's and each operation's cost", () => {
    const { design, mapped, evaluation } = modelWith(energies);
    const { memories, operators } = accessTable(design, mapped.values, evaluation.componentAreaUm2);
    const l1Area = evaluation.componentAreaUm2["l1"] as number;
    const rfArea = evaluation.componentAreaUm2["rf"] as number;
    expect(memories).toStrictEqual([
      { level: "dram", kind: "dram", instances: 1, wordsPerAccess: 4, readPj: dramPj, writePj: dramPj },
      {
        ...{ level: "l1", kind: "sram", instances: 4, bytes: 65536, wordsPerAccess: 4, readPj: 3, writePj: 5 },
        ...{ areaUm2: l1Area / 4, allAreaUm2: l1Area, origin: "extrapolated" },
      },
      {
        ...{ level: "rf", kind: "registers", instances: 32, bytes: 8, wordsPerAccess: 1, readPj: 0.5, writePj: 0.25 },
        ...{ areaUm2: rfArea / 32, allAreaUm2: rfArea },
      },
    ]);
    expect(operators).toStrictEqual([
      { array: "grid", operation: "mac", pes: 32, cycles: 1, ...mac },
      { array: "grid", operation: "exp", pes: 32, cycles: 4, ...exp },
    ]);
  });
});

describe("where a table of accesses has a buffer", () => {
  it.each([
    [64, "table"],
    [40, "interpolated"],
    [4, "extrapolated"],
  ])("rows of %i words: %s", (rowWords, origin) => {
    const { design, mapped, evaluation } = modelWith([["rowWords: 4", `rowWords: ${rowWords}`]]);
    const { memories } = accessTable(design, mapped.values, evaluation.componentAreaUm2);
    expect(memories.find(({ level }) => level === "l1")).toMatchObject({ wordsPerAccess: rowWords, origin });
  });
});

describe("the rates of a product's machine", () => {
  const ratesOf = (changes: readonly Change[]) => {
    const { design, mapped, evaluation } = modelWith(changes);
    return levelRates(design, mapped, evaluation);
  };
  const dram = { name: "dram", bytes: 2 * dramWords, bytesPerSecond: 1e12 };

  it("are two operations a multiply-accumulate on every PE, and DRAM's", () => {
    expect(ratesOf([])).toEqual({ peak: 2 * 32 * 1e9, levels: [dram] });
    // What it does quickest counts, wherever it is listed; half a cycle each is two a cycle.
    expect(ratesOf([["mac: 1, exp: 4", "exp: 0.25, mac: 1"]]).peak).toBe(4 * 32 * 1e9);
    expect(ratesOf([["mac: 1, exp: 4", "mac: 0.5, exp: 4"]]).peak).toBe(4 * 32 * 1e9);
  });

  it("are of each level that says how fast it is what its reads and writes come to", () => {
    const { levels } = ratesOf([level("l1", "bandwidth: { readBytesPerCycle: 8, writeBytesPerCycle: 1 }")]);
    const bytes = 2 * (l1Reads + l1Writes);
    expect(levels).toEqual([
      dram,
      { name: "l1", bytes, bytesPerSecond: expect.closeTo((bytes * 1e9) / (2 * l1Writes), 3) },
    ]);
  });
});

describe("the time of a product", () => {
  it("is its steps, or DRAM's: bytes over bytes per second", () => {
    const quick = evaluateWith([]);
    expect(quick).toMatchObject({ latencySeconds: steps / 1e9, cycles: steps, bound: "grid", frequencyHz: 1e9 });
    expect(quick).toMatchObject({ pes: { grid: 32 }, largestArray: "grid", dramBytesPerSecond: 1e12 });
    expect(quick.balanceOperationsPerByte).toBe((2 * 32 * 1e9) / 1e12);
    expect(quick.utilization).toEqual({ grid: 1 });
    expect(quick.phases).toEqual([
      {
        ...{ name: "all", seconds: steps / 1e9, computeCycles: steps, computeSeconds: steps / 1e9 },
        ...{ memorySeconds: (2 * dramWords) / 1e12, busySeconds: { grid: steps / 1e9 }, levelSeconds: {} },
      },
    ]);
    const slow = evaluateWith([["1e12", "1e9"]]);
    expect(slow).toMatchObject({ latencySeconds: (2 * dramWords) / 1e9, cycles: 2 * dramWords, bound: "dram" });
    const useful = steps / (2 * dramWords);
    expect(slow.use["grid"]).toEqual({
      useful,
      masked: 0,
      unfilled: { core: 0, pe: 0 },
      dram: expect.closeTo(1 - useful, 12),
      binding: 0,
    });
    // Twice the bandwidth is half the time.
    expect(evaluateWith([["1e12", "2e9"]]).latencySeconds).toBe(slow.latencySeconds / 2);
  });

  it("is what the binding says where that is longer, never less than an array is busy", () => {
    const longer = evaluateWith([["latency: Y", "latency: Y + 100"]]);
    expect(longer).toMatchObject({ cycles: steps + 100, bound: "binding" });
    expect(longer.use["grid"]?.binding).toBeCloseTo(100 / (steps + 100), 12);
    expect(longer.utilization["grid"]).toBeCloseTo(steps / (steps + 100), 12);
    expect(evaluateWith([["latency: Y", "latency: Y / 2"]]).cycles).toBeCloseTo(steps, 5);
    // Other symbols of a latency are no Einsums.
    const [phase] = modelWith([["latency: Y", "latency: Y + core.size"]]).design.phases;
    expect(phase?.einsums).toEqual(["Y"]);
  });

  it("adds up phases; the resource that holds up most of it bounds the whole", () => {
    const twice: readonly Change[] = [
      [
        /(einsums:\n)( {2}Y:[\s\S]*)$/,
        "$1$2  Z:\n    array: grid\n    inputs: [X, W]\n    output: Y\n    operations: { exp: 1 }\n    loops: { dram: [P3], core: [P2], l1: [P1, F, E], pe: [P0] }\n    keep: { dram: [X, W, Y], l1: [X, W, Y], rf: [X, W, Y] }\n",
      ],
      ["{ name: all, latency: Y }", "{ name: one, latency: Y }, { name: two, latency: Z }"],
    ];
    const both = evaluateWith(twice);
    expect(both.phases.map(({ name, computeCycles }) => [name, computeCycles])).toEqual([
      ["one", steps],
      ["two", 4 * steps],
    ]);
    expect(both).toMatchObject({ cycles: 5 * steps, bound: "grid", trafficBytes: 4 * dramWords });
    expect(both.utilization["grid"]).toBeCloseTo(1, 12);
    expect(both.einsumUtilization).toEqual({ Y: expect.closeTo(0.2, 12), Z: expect.closeTo(0.8, 12) });
    // 6400 bytes take longer than the first phase's 512 steps and less than the second's 2048, at 4 bytes per cycle.
    const mixed = evaluateWith([...twice, ["1e12", "4e9"]]);
    expect(mixed).toMatchObject({ cycles: (2 * dramWords) / 4 + 4 * steps, bound: "grid" });
    expect(mixed.use["grid"]?.dram).toBeCloseTo(((2 * dramWords) / 4 - steps) / mixed.cycles, 12);
  });

  it("leaves PEs idle where a tile is not full", () => {
    // 100 rows: 13 groups of 8, the last of 4; 4 rounds of 4 cores in two iterations.
    const { use, utilization, cycles } = evaluateWith([], { queries: 100 });
    expect(cycles).toBe(steps);
    expect(utilization["grid"]).toBeCloseTo(100 / 128, 12);
    const { useful, unfilled } = use["grid"] as NonNullable<(typeof use)[string]>;
    expect(useful).toBeCloseTo(100 / 128, 12);
    expect(Object.values(unfilled).reduce((a, b) => a + b, 0)).toBeCloseTo(28 / 128, 12);
  });
});
