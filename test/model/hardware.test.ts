import { describe, expect, it } from "vitest";
import type { Evaluation } from "../../src/model/evaluate.js";
import { levelRates } from "../../src/model/level-rates.js";
import { joinedUse } from "../../src/model/level-use.js";
import { staticPjPerSecond } from "../../src/model/standing-energy.js";
import { type Change, evaluateWith, l1Reads, l1Writes, level, modelWith, steps } from "./one-product.js";

// What memories, PEs and fan-outs of an architecture may say, each against a count by hand of one small product.

describe("an architecture of memories that say how fast they are", () => {
  it("is as before without", () => {
    const { cycles, bound, energyPj, componentEnergyPj } = evaluateWith([]);
    expect({ cycles, bound }).toEqual({ cycles: steps, bound: "grid" });
    expect(Object.values(componentEnergyPj).reduce((a, b) => a + b, 0)).toBeCloseTo(energyPj, 3);
  });

  it.each([
    ["bytesPerCycle: 4", (2 * (l1Reads + l1Writes)) / 4],
    ["bytesPerCycle: 4, shared: false", (2 * (l1Reads + l1Writes)) / 4],
    ["bytesPerCycle: 4, shared: true", (4 * 2 * (l1Reads + l1Writes)) / 4],
    ["readBytesPerCycle: 8, writeBytesPerCycle: 1", (2 * l1Writes) / 1],
    ["readBytesPerCycle: 2, writeBytesPerCycle: 1", (2 * l1Reads) / 2],
    ["ports: 2", (l1Reads + l1Writes) / 8],
    ["readPorts: 1, writePorts: 1", l1Reads / 4],
    ["bytesPerCycle: 1e6", steps],
    [`bytesPerCycle: ${(2 * (l1Reads + l1Writes)) / steps}`, steps],
  ])("takes as long as %s lets its bytes pass", (bandwidth, cycles) => {
    const found = evaluateWith([level("l1", `bandwidth: { ${bandwidth} }`)]);
    expect(found.cycles).toBeCloseTo(cycles, 6);
    expect(found.bound).toBe(cycles > steps ? "l1" : "grid");
  });

  it("moves a burst through each port of DRAM, or what its rate lets pass", () => {
    const words = 128 * 16 + 16 * 8 + 128 * 8;
    const slow = evaluateWith([level("dram", "bandwidth: { ports: 1 }"), ["1e12", "1e15"]]);
    // Bursts of 64 bits: four words.
    expect(slow.phases[0]?.levelSeconds["dram"]).toBeCloseTo(words / 4 / 1e9, 15);
    const rates = (changes: readonly Change[]) => {
      const { design, mapped, evaluation } = modelWith(changes);
      return levelRates(design, mapped, evaluation);
    };
    const l1 = level("l1", "bandwidth: { bytesPerCycle: 4 }");
    const dram = { name: "dram", bytes: 2 * words, bytesPerSecond: 1e12 };
    const own = { name: "l1", bytes: 2 * (l1Reads + l1Writes), bytesPerSecond: 4e9 };
    expect(rates([]).levels).toEqual([dram]);
    expect(rates([l1]).levels).toEqual([dram, own]);
    // Two operations of each of 32 PEs in each cycle.
    expect(rates([l1]).peak).toBe(2 * 32 * 1e9);
    // An array that takes four cycles for whatever it does, and one that does nothing but at once.
    const slowly: Change = ["operations: { mac: 1, exp: 4 }", "operations: { mac: 8, exp: 4, add: 0 }"];
    expect(rates([slowly]).peak).toBe(32 * 1e9 * (1 / 4));
  });

  it("is asked by two Einsums for the bytes of both, and waits for the slower one's first words", () => {
    const use = (read: number, written: number, waitCycles: number, latencyCycles: number, name: string) => {
      return { bytes: { [name]: { read, written } }, waitCycles, latencyCycles };
    };
    const both = joinedUse(use(1, 2, 3, 40, "l1"), use(5, 6, 7, 8, "l1"));
    expect(both).toEqual(use(6, 8, 10, 40, "l1"));
    expect(joinedUse(use(1, 2, 0, 0, "l1"), use(5, 6, 0, 0, "l2")).bytes).toEqual({
      l1: { read: 1, written: 2 },
      l2: { read: 5, written: 6 },
    });
  });

  it("waits for the first words once", () => {
    const found = evaluateWith([level("dram", "latencyCycles: 100"), level("l1", "latencyCycles: 10")]);
    expect(found.cycles).toBe(steps + 110);
  });

  it("waits for each tile of a level with a single buffer", () => {
    const found = evaluateWith([level("dram", "latencyCycles: 100"), level("l1", "buffering: single")]);
    // Bytes of X, W and Y at 1000 a cycle; two tiles of X, one of W, two of Y that go up.
    const moved = (2 * (128 * 16 + 16 * 8 + 128 * 8)) / 1000;
    expect(found.cycles).toBeCloseTo(steps + 100 + moved + (2 + 1 + 2) * 100, 6);
  });

  it("waits as long as the slower of a tile's two levels takes, and for nothing outside the outermost", () => {
    const single = evaluateWith([level("l1", "buffering: single, bandwidth: { bytesPerCycle: 1 }")]);
    // Of a core's l1: tiles of X and of W that come in, and of Y that go up, at a byte a cycle.
    const waits = 2 * (2 * (2 * 8 * 16) + 16 * 8 + 2 * (2 * 8 * 8));
    expect(single.phases[0]?.computeCycles).toBeCloseTo(steps + waits, 6);
    expect(single.cycles).toBeCloseTo(2 * (l1Reads + l1Writes), 6);
    expect(evaluateWith([level("dram", "buffering: single, latencyCycles: 7")]).cycles).toBe(steps + 7);
  });

  it("waits for tiles of one word, word by word", () => {
    const found = evaluateWith([
      ["P1: 2, P0: 8", "P1: 1, P0: 1"],
      ["loops: { dram: [P3], core: [P2], l1: [P1, F, E]", "loops: { dram: [P3, F, E], core: [P2], l1: [P1]"],
      ["l1: [X, W, Y], ", "l1: [X], "],
      level("dram", "latencyCycles: 100"),
      level("l1", "buffering: single"),
    ]);
    // A word of X in each step, for each of four cores.
    const own = 32 * 8 * 16;
    expect(found.phases[0]?.computeCycles).toBeCloseTo(own + 100 + own * 100 + (4 * 2 * own) / 1000, 6);
  });

  it("needs room for two tiles of a level with two buffers", () => {
    const tile = 2 * (2 * 8 * 16 + 16 * 8 + 2 * 8 * 8);
    const sized = (bytes: number, buffering: string): (() => Evaluation) => {
      return () => evaluateWith([["64 * KiB", String(bytes)], level("l1", `buffering: ${buffering}`)]);
    };
    expect(sized(tile, "single")).not.toThrow();
    expect(sized(tile, "double")).toThrow(`tiles of ${2 * tile} bytes in l1`);
    expect(sized(2 * tile, "double")).not.toThrow();
    expect(sized(2 * tile, "double")().cycles).toBe(steps);
  });
});

describe("a machine's numbers", () => {
  it.each([
    ["core", "size", 4, "a whole number of at least 1"],
    ["l1", "bytes", 4096, "at least 1"],
    ["l1", "rowWords", 1, "at least 1"],
    ["rf", "depth", 1, "a whole number of at least 1"],
    ["l1", "areaUm2", 0, "a number of at least 0"],
    ["l1", "latencyCycles", 0, "a number of at least 0"],
  ])("of %s may have %s of %d and no less than one, or nothing, has", (name, field, least, expected) => {
    const set = (value: number): readonly Change[] => {
      // In place of what is there.
      const there: Change = [new RegExp(`(  ${name}: \\{[^}\\n]*?), ${field}: [^,}]*`), "$1"];
      return [there, level(name, `${field}: ${value}`)];
    };
    expect(() => evaluateWith(set(least))).not.toThrow();
    for (const bad of [-0.5, ...(expected.endsWith("1") ? [0, 0.5] : [])])
      expect(() => evaluateWith(set(bad)), String(bad)).toThrow(`got ${bad}; expected`);
    expect(() => evaluateWith(set(-0.5))).toThrow(expected);
  });

  it("say which of its arrays is the largest, wherever it is listed", () => {
    const few: Change = ["  rf: {", "  few: { kind: registers, within: l1, depth: 4 }\n  rf: {"];
    const { largestArray, pes, balanceOperationsPerByte } = evaluateWith([
      few,
      ["arrays: {", "arrays: { small: { at: few, operations: { add: 1 } },"],
    ]);
    expect([largestArray, pes]).toEqual(["grid", { small: 4, grid: 32 }]);
    expect(balanceOperationsPerByte).toBeCloseTo((2 * 1e9 * 32) / 1e12, 12);
  });
});

describe("units of a PE with rates of their own", () => {
  const both: Change = ["operations: { mac: 1 }", "operations: { mac: 3, exp: 1 }"];
  const sfu: Change = ["exp: 4 }", "exp: 4 }, units: { sfu: [exp] }"];

  it("work beside the rest of it", () => {
    expect(evaluateWith([both]).cycles).toBe(7 * steps);
    expect(evaluateWith([both, sfu]).cycles).toBe(4 * steps);
    expect(evaluateWith([both, sfu]).bound).toBe("grid.sfu");
  });

  it("let Einsums of different units overlap, as far as the binding has it", () => {
    const twice: Change = [
      /(einsums:\n)( {2}Y:[\s\S]*)$/,
      "$1$2  Z:\n    array: grid\n    inputs: [X, W]\n    output: Y\n    operations: { exp: 1 }\n    loops: { dram: [P3], core: [P2], l1: [P1, F, E], pe: [P0] }\n    keep: { dram: [X, W, Y], l1: [X, W, Y], rf: [X, W, Y] }\n",
    ];
    const beside: Change = ["latency: Y", "latency: 'max(Y, Z)'"];
    // Up to the share (1e-9) by which an array may seem busier than a phase is long.
    expect(evaluateWith([twice, beside]).cycles).toBeCloseTo(5 * steps, 4);
    expect(evaluateWith([twice, beside, sfu]).cycles).toBe(4 * steps);
  });

  it.each([
    ["units: { sfu: [tanh] }", /units\.sfu\.0: got the operation 'tanh'; expected one of its operations mac, exp/],
    ["units: { a: [exp], b: [exp] }", /units\.b\.0: got exp in grid\.a too; expected each operation in one unit/],
  ])("are checked: %s", (units, message) => {
    expect(() => evaluateWith([["exp: 4 }", `exp: 4 }, ${units}`]])).toThrow(message);
  });
});

describe("energy that no access takes", () => {
  it("is power times latency, for each instance", () => {
    const found = evaluateWith([
      level("l1", "staticWatts: 0.5"),
      level("core", "staticWatts: 0.25"),
      ["exp: 4 }", "exp: 4 }, staticWatts: 0.001"],
    ]);
    const seconds = steps / 1e9;
    const parts = found.componentEnergyPj;
    expect(parts["static.l1"]).toBeCloseTo(4 * 0.5 * seconds * 1e12, 6);
    expect(parts["static.core"]).toBeCloseTo(4 * 0.25 * seconds * 1e12, 6);
    expect(parts["static.grid"]).toBeCloseTo(32 * 0.001 * seconds * 1e12, 6);
    expect(found.energyPj).toBeCloseTo(
      Object.values(parts).reduce((a, b) => a + b, 0),
      3,
    );
  });

  it("takes its power second by second, whatever is computed", () => {
    const { design, mapped } = modelWith([level("l1", "staticWatts: 0.5"), ["exp: 4 }", "exp: 4 }, staticWatts: 1"]]);
    expect(staticPjPerSecond(design, mapped.values)).toBe((4 * 0.5 + 32 * 1) * 1e12);
    const none = modelWith([]);
    expect(staticPjPerSecond(none.design, none.mapped.values)).toBe(0);
    // Of an array, of a level or of links alone it is added too.
    const partsOf = (change: Change): readonly string[] => Object.keys(evaluateWith([change]).componentEnergyPj);
    expect(partsOf(["exp: 4 }", "exp: 4 }, staticWatts: 1"])).toContain("static.grid");
    expect(partsOf(level("l1", "staticWatts: 1"))).toContain("static.l1");
    expect(partsOf(level("core", "hopPj: 1"))).toContain("core");
  });

  it("is that of links, word by word", () => {
    // Each core gets its part of X and all of W, and sends up its part of Y.
    const across = 128 * 16 + 4 * 16 * 8 + 128 * 8;
    // Each PE gets a word of X and one of W in each step, and sends up its sums.
    const inCores = 32 * (2 * steps + 2 * 2 * 8);
    const found = evaluateWith([level("core", "hopPj: 3"), level("pe", "hopPj: 0.5, hopsPerWord: (pe.size + 1) / 2")]);
    expect(found.componentEnergyPj["core"]).toBeCloseTo(3 * across, 6);
    expect(found.componentEnergyPj["pe"]).toBeCloseTo(0.5 * 4.5 * inCores, 6);
  });
});

describe("work dealt to cores", () => {
  // 7 blocks of 16 queries on 4 cores: two rounds, where loops over cores and time in turn take as many.
  const dealt: readonly Change[] = [
    ["P3: rest, P2: 4, P1: 2, P0: 8", "P1: rest, P0: 8"],
    [
      "loops: { dram: [P3], core: [P2], l1: [P1, F, E], pe: [P0] }",
      "loops: { dram: [H, P1], l1: [F, E], pe: [P0] }\n    spread: { core: [H, P1] }",
    ],
    ["X: [P, E], W: [E, F], Y: [P, F]", "X: [H, P, E], W: [H, E, F], Y: [H, P, F]"],
  ];

  it("takes as many rounds as blocks of all heads need together", () => {
    // 3 heads of 5 blocks are 15 on 4 cores: 4 rounds, where heads or blocks alone would leave cores idle.
    const found = evaluateWith(dealt, { H: 3, queries: 40 });
    expect(found.cycles).toBe(Math.ceil(15 / 4) * 8 * 16);
    expect(found.utilization["grid"]).toBeCloseTo(15 / 16, 12);
    // Every block begins with an empty core.
    const words = 8 * 16 + 16 * 8 + 8 * 8;
    expect(found.trafficBytes).toBe(2 * 15 * words);
    // The busiest core's memory passes four blocks of X and W in and Y up, and words for 8 PEs in 128 steps each.
    const passed = 4 * 2 * (words + 8 * 128 + 128);
    const slow = evaluateWith([...dealt, level("l1", "bandwidth: { bytesPerCycle: 4 }")], { H: 3, queries: 40 });
    expect(slow.cycles).toBeCloseTo(passed / 4, 6);
    // It waits for as many tiles: of X and W that come in, a byte a cycle, and of Y that go up.
    const single = [...dealt, level("l1", "buffering: single, bandwidth: { bytesPerCycle: 1 }")];
    const waits = 4 * 2 * words;
    expect(evaluateWith(single, { H: 3, queries: 40 }).phases[0]?.computeCycles).toBeCloseTo(4 * 8 * 16 + waits, 6);
    const late = [...dealt, level("l1", "buffering: single"), level("dram", "latencyCycles: 1000")];
    // What comes from DRAM comes for all cores.
    const inWords = (15 * 2 * words) / 1000;
    expect(evaluateWith(late, { H: 3, queries: 40 }).phases[0]?.computeCycles).toBeCloseTo(
      4 * 8 * 16 + 1000 + inWords + 4 * 3 * 1000,
      6,
    );
  });

  it.each([
    [
      "spread: { core: [P1, H] }",
      /spread\.core: got the loops P1, H; expected some of those over dram, in their order: H, P1/,
    ],
    ["spread: { core: [H, F] }", /spread\.core: got the loops H, F; expected some/],
    ["spread: { pe: [H, P1] }", /spread\.pe: got loops over pe besides; expected either of the two/],
    ["spread: { l1: [H, P1] }", /spread\.l1: got the level 'l1'; expected a fan-out above the grid array: core, pe/],
    ["spread: { core: [] }", /spread\.core: no loops/],
    [
      "",
      /levels\.core\.size: got 4 instances of core, over which no Einsum of small has a loop; expected a loop over them, or one instance/,
    ],
  ])("is checked: %s", (spread, message) => {
    expect(() => evaluateWith([...dealt, ["spread: { core: [H, P1] }", spread]])).toThrow(message);
  });

  it("may be left to one core, where the mapping says that the others idle", () => {
    const left = (idle: string): readonly Change[] => [
      ...dealt,
      ["spread: { core: [H, P1] }", ""],
      ["einsums:", `${idle}\neinsums:`],
    ];
    const found = evaluateWith(left("idle: [core]"), { H: 3, queries: 40 });
    expect(found.cycles).toBe(15 * 8 * 16);
    expect(() => evaluateWith(left("idle: [core, pe]"))).toThrow(
      /idle\.1: got pe, over which an Einsum has a loop; expected fan-outs without a loop: core/,
    );
    expect(() => evaluateWith(left("idle: [l1]"))).toThrow(/idle\.0: got the level 'l1'; expected fan-outs/);
  });
});

describe("an architecture that cannot be", () => {
  it.each<[Change, RegExp]>([
    [
      level("l1", "bandwidth: { bytesPerCycle: 0 }"),
      /levels\.l1\.bandwidth\.bytesPerCycle: got 0; expected a number above 0/,
    ],
    [level("l1", "bandwidth: { ports: -1 }"), /levels\.l1\.bandwidth\.ports: got -1; expected a number above 0/],
    [level("l1", "bandwidth: { bytes: 1 }"), /levels\.l1\.bandwidth/],
    [level("l1", "buffering: triple"), /levels\.l1\.buffering: got "triple"; expected one of "single"\|"double"/],
    [level("dram", "latencyCycles: -1"), /levels\.dram\.latencyCycles: got -1; expected a number of at least 0/],
    [level("core", "staticWatts: -1"), /levels\.core\.staticWatts: got -1/],
    [["exp: 4 }", "exp: 4 }, staticWatts: -2"], /arrays\.grid\.staticWatts: got -2 W; expected a number of at least 0/],
    [
      ["  pe: {", "  l2: { kind: sram, within: dram, bytes: 64, rowWords: 4 }\n  pe: {"],
      /levels\.l2: got the level l2, which is on no array's way to dram/,
    ],
  ])("is refused: %j", (change, message) => {
    expect(() => evaluateWith([change])).toThrow(message);
  });
});
