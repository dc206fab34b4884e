import { describe, expect, it } from "vitest";
import { type Change, evaluateWith, level, modelWith, steps } from "./one-product.js";

// What a machine or a mapping cannot be is said at its place, with what is there and what may be.

const mapping = (from: string | RegExp, to: string): Change => [from, to];
const keep = "keep: { dram: [X, W, Y], l1: [X, W, Y], rf: [X, W, Y] }";

describe("a product's mapping that may be", () => {
  it("keeps on conditions what the same lists without them keep", () => {
    const numbers = (changed: string) => {
      const { cycles, trafficBytes, energyPj, componentEnergyPj } = evaluateWith([[keep, changed]]);
      return { cycles, trafficBytes, energyPj, componentEnergyPj };
    };
    const listed = numbers("keep: { dram: [X, W, Y], l1: [W, Y], rf: [X, W, Y] }");
    const all = "{ X: 1, W: 1, Y: 1 }";
    expect(numbers(`keep: { dram: ${all}, l1: { X: P < 0, W: 1, Y: P > 0 }, rf: ${all} }`)).toEqual(listed);
    expect(numbers("keep: { dram: [X, W, Y], l1: { X: P < 0, W: 1, Y: 1 }, rf: [X, W, Y] }")).toEqual(listed);
    expect(numbers(keep).trafficBytes).not.toBe(listed.trafficBytes);
  });
});

describe("a product's mapping", () => {
  it.each<[string, readonly Change[], RegExp]>([
    [
      "reads no tensor that it lists",
      [mapping("inputs: [X, W]", "inputs: [X, V]")],
      /einsums\.Y\.inputs\.1: no tensor 'V'; expected a tensor listed under tensors: X, W, Y; list it with its ranks/,
    ],
    ["writes none", [mapping("output: Y", "output: V")], /einsums\.Y\.output: no tensor 'V'/],
    [
      "is on no array",
      [mapping("array: grid", "array: row")],
      /einsums\.Y\.array: got the array 'row'; expected one of the arrays grid/,
    ],
    [
      "does what its array lacks",
      [mapping("operations: { mac: 1 }\n", "operations: { add: 1 }\n")],
      /operations\.add: got add on the grid array, which lacks it; expected one of its operations mac, exp/,
    ],
    [
      "keeps a tensor at a fan-out",
      [mapping("rf: [X, W, Y] }", "rf: [X, W, Y], pe: [X] }")],
      /keep\.pe: got tensors kept at the fan-out pe; expected a memory/,
    ],
    [
      "keeps what it does not have",
      [mapping("rf: [X, W, Y] }", "rf: [X, W, Y, Q] }")],
      /keep\.rf: got the tensor 'Q'; expected one of its tensors X, W, Y/,
    ],
    [
      "keeps a tensor nowhere",
      [mapping(keep, "keep: { dram: [X, W], l1: [X, W], rf: [X, W] }")],
      /keep: no level that keeps Y; expected Y kept at one of dram, core, l1, pe, rf/,
    ],
    ["keeps a tensor on no condition that holds", [mapping(keep, "keep: { dram: [X, W], rf: { Y: P < 0 } }")], /keep/],
    [
      "has no loop over a rank of its output",
      [mapping("l1: [P1, F, E]", "l1: [P1, E]")],
      /loops: no loop over F; expected loops that cover Y/,
    ],
    [
      "has a loop twice",
      [mapping("l1: [P1, F, E]", "l1: [P1, F, E, F]")],
      /loops\.l1: got the loop F twice; expected each loop once/,
    ],
    [
      "has parts inside out",
      [mapping("dram: [P3], core: [P2], l1: [P1, F, E]", "dram: [P1], core: [P2], l1: [P3, F, E]")],
      /got the loop P2 inside P1; expected the parts of a rank outermost first, P3 around P2 around P1 around P0/,
    ],
    [
      "has a loop at no level of it",
      [mapping("pe: [P0] }", "pe: [P0], l3: [] }")],
      /loops\.l3: got the level 'l3'; expected a level above the grid array: dram, core, l1, pe, rf/,
    ],
    [
      "has bounds that do not cover their rank",
      [mapping("P3: rest", "P3: 1")],
      /partitions\.P: got loop bounds that cover 64 of P = 128; expected bounds whose product reaches the rank; make the outermost bound 'rest'/,
    ],
    [
      "has a bound that is no whole number",
      [mapping("P1: 2", "P1: 2.5")],
      /partitions\.P: got the loop bound 2\.5 of P; expected a whole number/,
    ],
    [
      "has the rest inside",
      [mapping("P3: rest, P2: 4", "P3: 2, P2: rest")],
      /partitions\.P\.P2: got rest; expected rest only for the outermost part/,
    ],
    [
      "takes more instances than there are",
      [mapping("P0: 8", "P0: 16")],
      /loops\.pe: got a spatial factor of 16 over pe, which has 8; expected at most 8/,
    ],
    [
      "defines a symbol of its own by itself",
      [mapping("operations: { mac: 1 }\n", "operations: { mac: 1 }\n    symbols: { n: k, k: n }\n")],
      /einsums\.Y\.symbols\.n: got a circle of symbols: Y\.n -> Y\.k -> Y\.n; expected no circle/,
    ],
    [
      "does less than nothing",
      [mapping("operations: { mac: 1 }\n", "operations: { mac: -1 }\n")],
      /operations\.mac: got -1; expected a number of at least 0/,
    ],
    [
      "does more than can be counted",
      [mapping("operations: { mac: 1 }\n", "operations: { mac: 1 / 0 }\n")],
      /operations\.mac: got Infinity; expected a number of at least 0/,
    ],
    [
      "takes less than no time",
      [mapping("operations: { mac: 1 }\n", "operations: { mac: 1 }\n    cycles: -2\n")],
      /cycles: got -2; expected a number of at least 0/,
    ],
    [
      "names the workload's sizes anew",
      [mapping("symbols: { P: queries }", "symbols: { P: queries, B: 1 }")],
      /symbols\.B: got the symbol 'B'; expected a name that the workload does not give/,
    ],
    [
      "has a table whose rows are narrow",
      [mapping("einsums:", `tables: { t: { source: here, by: [P], columns: [P, n], rows: "1 2\\n3" } }\neinsums:`)],
      /tables\.t\.rows\.1: got a row of 1 cells; expected rows of the 2 columns/,
    ],
    [
      "has a table whose first row is narrow",
      [mapping("einsums:", `tables: { t: { source: here, by: [P], columns: [P, n], rows: "1\\n2 3" } }\neinsums:`)],
      /tables\.t\.rows\.0: got a row of 1 cells; expected rows of the 2 columns/,
    ],
    ["loops over a rank without a size", [mapping("l1: [P1, F, E]", "l1: [P1, F, E, Q]")], /einsums\.Y\.loops: .*'Q'/],
    [
      "cuts a rank without a size",
      [mapping("P0: 8 } }", "P0: 8 }, Q: { Q1: rest, Q0: 2 } }"), mapping("l1: [P1, F, E]", "l1: [P1, F, E, Q1, Q0]")],
      /:\d+:\d+ partitions\.Q.*'Q'/,
    ],
    [
      "cuts one for itself without a size",
      [
        mapping("operations: { mac: 1 }\n", "operations: { mac: 1 }\n    partitions: { Q: { Q1: rest, Q0: 2 } }\n"),
        mapping("l1: [P1, F, E]", "l1: [P1, F, E, Q1, Q0]"),
      ],
      /einsums\.Y\.partitions\.Q.*'Q'/,
    ],
    [
      "has a table by what it has no column for",
      [mapping("einsums:", `tables: { t: { source: here, by: [Q], columns: [P, n], rows: "1 2" } }\neinsums:`)],
      /tables\.t: got a table without rows or keys/,
    ],
    [
      "has no variant for these sizes",
      [
        mapping(
          / {2}Y:\n {4}array: grid\n([\s\S]*)$/,
          "  Y:\n    variants:\n      - when: P < 0\n        array: grid\n        inputs: [X, W]\n        output: Y\n        operations: { mac: 1 }\n        loops: { dram: [P3], core: [P2], l1: [P1, F, E], pe: [P0] }\n        keep: { dram: [X, W, Y], l1: [X, W, Y], rf: [X, W, Y] }\n",
        ),
      ],
      /variants\.0\.when: no variant whose condition holds; expected one for every size/,
    ],
  ])("%s", (_, changes, message) => {
    expect(() => evaluateWith(changes)).toThrow(message);
  });

  it("may keep a tensor on a condition, take a bound below one for one, and cycles in place of operations'", () => {
    const bypass = (condition: string) =>
      evaluateWith([[keep, `keep: { dram: [X, W, Y], l1: { X: 1, W: ${condition}, Y: 1 }, rf: [X, W, Y] }`]]);
    // W from DRAM in each step where no buffer holds it: once for all cores and PEs.
    expect(bypass("P >= 128").trafficBytes).toBe(evaluateWith([]).trafficBytes);
    expect(bypass("P > 128").trafficBytes - evaluateWith([]).trafficBytes).toBe(2 * (steps - 16 * 8));
    expect(evaluateWith([["P1: 2", "P1: 0"]]).cycles).toBe((2 * steps) / 2);
    expect(evaluateWith([["operations: { mac: 1 }\n", "operations: { mac: 1 }\n    cycles: 3\n"]]).cycles).toBe(
      3 * steps,
    );
  });

  it("takes a table's row by the largest key that is not above the workload's, or the smallest there is", () => {
    const cyclesAt = (queries: number): number => {
      const table = `tables: { t: { source: here, by: [P], columns: [P, n], rows: "64 2\\n128 3\\n256 5" } }\neinsums:`;
      const cycles: Change = ["operations: { mac: 1 }\n", "operations: { mac: 1 }\n    cycles: t.n\n"];
      const { cycles: all, counts } = modelWith([["einsums:", table], cycles], { queries }).evaluation;
      return all / (counts[0]?.iterations as number);
    };
    expect([128, 127, 64, 63, 1000].map(cyclesAt)).toEqual([3, 2, 2, 2, 5]);
  });
});

describe("a product's machine", () => {
  it.each<[string, readonly Change[], RegExp]>([
    [
      "has no DRAM",
      [["dram: { kind: dram, bytesPerSecond: 1e12 }", "dram: { kind: fanout, within: dram, size: 1 }"]],
      /levels: no level of the kind dram; expected one, around all others/,
    ],
    [
      "has two",
      [["  pe: {", "  hbm: { kind: dram, bytesPerSecond: 1 }\n  pe: {"]],
      /levels\.hbm: got two levels of the kind dram, dram and hbm; expected one, around all others/,
    ],
    [
      "has levels in a circle",
      [["core: { kind: fanout, within: dram", "core: { kind: fanout, within: pe"]],
      /a circle of levels: .*core.*; expected levels that end at DRAM/,
    ],
    [
      "has an array at no memory",
      [["at: rf", "at: pe"]],
      /arrays\.grid\.at: got pe; expected the registers or the buffer that feed it, one of dram, l1, rf/,
    ],
    ["has an array at no level", [["at: rf", "at: nowhere"]], /arrays\.grid\.at: got the unknown level nowhere/],
    [
      "has registers of no other",
      [["depth: 4 }", "depth: 4, sameAs: l1 }"]],
      /levels\.rf\.sameAs: got 'l1'; expected one of the register files rf/,
    ],
    [
      "has half an instance",
      [["size: 8", "size: 7.5"]],
      /levels\.pe\.size: got 7\.5; expected a whole number of at least 1/,
    ],
    [
      "has half a register",
      [["depth: 4", "depth: 0.5"]],
      /levels\.rf\.depth: got 0\.5; expected a whole number of at least 1/,
    ],
    ["has no bytes", [["bytes: 64 * KiB", "bytes: 0"]], /levels\.l1\.bytes: got 0; expected a number of at least 1/],
    [
      "has endless bytes",
      [["bytes: 64 * KiB", "bytes: 1 / 0"]],
      /levels\.l1\.bytes: got Infinity; expected a number of at least 1/,
    ],
    [
      "takes less than no time",
      [["exp: 4 }", "exp: -4 }"]],
      /arrays\.grid\.operations\.exp: got -4 cycles; expected a number of at least 0/,
    ],
    ["takes forever", [["exp: 4 }", "exp: 1 / 0 }"]], /operations\.exp: got Infinity cycles/],
    [
      "has a clock that stands still",
      [["frequencyHz: 1e9", "frequencyHz: 0 * 1"]],
      /frequencyHz: got 0; expected a number above 0/,
    ],
    [
      "has a clock without end",
      [["frequencyHz: 1e9", "frequencyHz: 1 / 0"]],
      /frequencyHz: got Infinity; expected a number above 0/,
    ],
    [
      "has an operation of no technology",
      [["exp: 4 }", "tan: 4 }"]],
      /operations\.tan: got the operation 'tan'; expected one of mac, add, max, divide, exp/,
    ],
    [
      "has no room",
      [["64 * KiB", "100"]],
      /einsums: got tiles of 1024 bytes in l1 for phase all, 924 bytes over its 100; expected tiles that fit l1; make the tile of X smaller or l1 larger/,
    ],
    [
      "runs an Einsum in no phase",
      [["latency: Y", "latency: 1"]],
      /phases: no phase that runs Y; expected every Einsum of the mapping small; put Y into a phase's latency/,
    ],
    [
      "has a negative buffer latency",
      [level("l1", "latencyCycles: -3")],
      /levels\.l1\.latencyCycles: got -3; expected a number of at least 0/,
    ],
  ])("%s", (_, changes, message) => {
    expect(() => evaluateWith(changes)).toThrow(message);
  });
});
