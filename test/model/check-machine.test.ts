import { describe, expect, it } from "vitest";
import type { EinsumCounts } from "../../src/model/action-counts.js";
import { checkBuffers, checkInstances, checkNumbers } from "../../src/model/check-machine.js";
import type { CompiledDesign } from "../../src/model/compile.js";
import type { CompiledEinsum } from "../../src/model/compile-einsum.js";
import { type Change, evaluateWith, level } from "./one-product.js";

// The least that a machine may say, and the least that is refused, on both sides of each bound.

const array = (fields: string): Change => ["exp: 4 }", `${fields} }`];
const clock = (hertz: string): Change => ["frequencyHz: 1e9", `frequencyHz: ${hertz}`];
const link = (value: string): Change => level("l1", `bandwidth: { bytesPerCycle: ${value} }`);
const dram = (value: string): Change => ["1e12", value];
const watts = (value: string): Change => ["exp: 4 }", `exp: 4 }, staticWatts: ${value}`];

describe("a machine's numbers", () => {
  it.each<[string, Change]>([
    ["DRAM of one byte a second", dram("1")],
    ["a link of half a byte a cycle", link("0.5")],
    ["an operation in no time", array("exp: 0")],
    ["an operation in half a cycle", array("exp: 0.5")],
    ["no static power", watts("0")],
    ["half a watt", watts("0.5")],
    ["half a turn a second", clock("0.5")],
  ])("may be %s", (_, change) => {
    expect(() => evaluateWith([change])).not.toThrow();
  });

  it.each<[string, Change, string]>([
    ["DRAM of half a byte a second", dram("0.5"), "got 0.5; expected a number of at least 1"],
    ["DRAM without an end", dram("1 / 0"), "got Infinity; expected a number of at least 1"],
    ["a link that passes nothing", link("1 - 1"), "bytesPerCycle: got 0; expected a number above 0"],
    ["a link that passes everything at once", link("1 / 0"), "got Infinity; expected a number above 0"],
    ["registers without an end", ["depth: 4", "depth: 1 / 0"], "got Infinity; expected a whole number of at least 1"],
    ["an operation in less than no time", array("exp: 0 - 0.5"), "exp: got -0.5 cycles; expected a number of at least"],
    ["an operation that never ends", array("exp: 1 / 0"), "exp: got Infinity cycles; expected a number of at least"],
    ["less than no static power", watts("0 - 0.5"), "got -0.5 W; expected a number of at least 0"],
    ["static power without an end", watts("1 / 0"), "got Infinity W; expected a number of at least 0"],
    ["a clock that runs back", clock("0 - 0.5"), "frequencyHz: got -0.5; expected a number above 0"],
  ])("are not %s", (_, change, message) => {
    expect(() => evaluateWith([change])).toThrow(message);
  });
});

it("the least of each number of a level is one, nothing, or anything above that", () => {
  const refuses = (field: string, value: number): boolean => {
    const fields = new Map([[field, () => value]]);
    const design = {
      levels: new Map([["own", { name: "own", fields }]]),
      ...{ arrays: new Map(), arrayWatts: new Map(), frequencyHz: () => 1 },
      inArchitecture: (path: readonly string[]) => () => path.join("."),
    } as unknown as CompiledDesign;
    try {
      checkNumbers(design, new Float64Array(0));
      return false;
    } catch (error) {
      expect(String(error)).toContain(`levels.own.${field}: got ${value}; expected`);
      return true;
    }
  };
  const refused = (field: string) =>
    [-0.5, 0, 0.5, 1, 1.5, 2, Number.POSITIVE_INFINITY, Number.NaN].filter(value => refuses(field, value));
  const never = [Number.POSITIVE_INFINITY, Number.NaN];
  for (const field of ["size", "depth"]) expect(refused(field), field).toEqual([-0.5, 0, 0.5, 1.5, ...never]);
  for (const field of ["rowWords", "bytes", "bytesPerSecond"])
    expect(refused(field), field).toEqual([-0.5, 0, 0.5, ...never]);
  for (const field of ["bandwidth.ports", "bandwidth.bytesPerCycle"])
    expect(refused(field), field).toEqual([-0.5, 0, ...never]);
  for (const field of ["areaUm2", "latencyCycles", "hopPj"]) expect(refused(field), field).toEqual([-0.5, ...never]);
});

describe("instances of a fan-out", () => {
  const second =
    "  Z:\n    array: grid\n    inputs: [X, W]\n    output: Y\n    operations: { exp: 1 }\n    loops: { dram: [P3], core: [P2], l1: [P1, F, E, P0] }\n    keep: { dram: [X, W, Y], l1: [X, W, Y], rf: [X, W, Y] }\n";
  const both: Change = ["latency: Y", "latency: Y + Z"];
  const idle: Change = ["l1: [P1, F, E], pe: [P0] }", "l1: [P1, F, E, P0] }"];
  const instances = (size: number): Change => ["within: l1, size: 8", `within: l1, size: ${size}`];

  it("work where some Einsum has a loop over them, the first or the last", () => {
    expect(() => evaluateWith([[/(einsums:\n)( {2}Y:[\s\S]*)$/, `$1$2${second}`], both])).not.toThrow();
    expect(() => evaluateWith([[/(einsums:\n)( {2}Y:[\s\S]*)$/, `$1${second}$2`], both])).not.toThrow();
  });

  it("are refused where none has, from two on", () => {
    expect(() => evaluateWith([idle])).toThrow("got 8 instances of pe");
    expect(() => evaluateWith([idle, instances(2)])).toThrow("got 2 instances of pe");
    expect(() => evaluateWith([idle, instances(1)])).not.toThrow();
  });
});

it("a fan-out may not be said to idle where every one has a loop", () => {
  expect(() => evaluateWith([["einsums:", "idle: [pe]\neinsums:"]])).toThrow(
    "idle.0: got pe, over which an Einsum has a loop; expected fan-outs without a loop: there is none",
  );
});

describe("what a phase keeps in a buffer", () => {
  const bytes = (size: number): Change => ["64 * KiB", String(size)];
  // Of two bytes a word: tiles of X and of Y for 2 times 8 rows, of W for all.
  const tiles = { X: 2 * (2 * 8 * 16), W: 2 * (16 * 8), Y: 2 * (2 * 8 * 8) };
  const needed = tiles.X + tiles.W + tiles.Y;

  it("may fill it to the last byte, and no more", () => {
    expect(() => evaluateWith([bytes(needed)])).not.toThrow();
    expect(() => evaluateWith([bytes(needed - 1)])).toThrow(
      `tiles of ${needed} bytes in l1 for phase all, 1 byte over its ${needed - 1}; expected tiles that fit l1; make the tile of X smaller or l1 larger`,
    );
  });

  it("takes whole bytes of it", () => {
    // 16 words of X and of Y and one of W, of half a byte each.
    const halves = (size: number) => evaluateWith([["wordBits: 16", "wordBits: 4"], bytes(size)], { E: 1, F: 1 });
    expect(() => halves(17)).not.toThrow();
    expect(() => halves(16)).toThrow("tiles of 17 bytes in l1");
  });

  it("is not what is spilled, in part or all of it", () => {
    const spilled = (share: string): Change => ["operations: { mac: 1 }\n", `operations: { mac: 1 }\n    ${share}\n`];
    expect(() => evaluateWith([spilled("spill: { X: 0.5 }"), bytes(needed - tiles.X)])).not.toThrow();
    expect(() => evaluateWith([spilled("spill: { X: 0 }"), bytes(needed - tiles.X)])).toThrow("tiles of");
  });

  it("streams through two buffers unless it comes from nowhere", () => {
    const double = level("l1", "buffering: double");
    const own: Change = ["keep: { dram: [X, W, Y]", "keep: { dram: [W, Y]"];
    expect(() => evaluateWith([double, bytes(2 * needed)])).not.toThrow();
    expect(() => evaluateWith([double, bytes(2 * needed - 1)])).toThrow("1 byte over");
    expect(() => evaluateWith([double, own, bytes(2 * needed - tiles.X)])).not.toThrow();
    expect(() => evaluateWith([double, own, bytes(2 * needed - tiles.X - 1)])).toThrow("1 byte over");
  });

  it("is not there in another phase, and once for two Einsums of one phase", () => {
    const other =
      "$1$2  Z:\n    array: grid\n    inputs: [Y]\n    output: V\n    operations: { exp: 1 }\n    loops: { dram: [P3], core: [P2], l1: [P1, F], pe: [P0] }\n    keep: { dram: [Y, V], l1: [Y, V], rf: [Y, V] }\n";
    const two: readonly Change[] = [
      ["Y: [P, F] }", "Y: [P, F], V: [P, F] }"],
      [/(einsums:\n)( {2}Y:[\s\S]*)$/, other],
    ];
    const apart: Change = ["{ name: all, latency: Y }", "{ name: one, latency: Y }, { name: two, latency: Z }"];
    const together: Change = ["latency: Y", "latency: Y + Z"];
    expect(() => evaluateWith([...two, apart, bytes(needed)])).not.toThrow();
    expect(() => evaluateWith([...two, together, bytes(needed + tiles.Y)])).not.toThrow();
    expect(() => evaluateWith([...two, together, bytes(needed + tiles.Y - 1)])).toThrow("1 byte over");
  });
});

describe("by itself", () => {
  const none = new Float64Array(0);
  const messageOf = (check: () => void): string => {
    try {
      check();
      return "";
    } catch (error) {
      return String(error);
    }
  };

  it("a fan-out works where an Einsum has a loop over it or is dealt to it, in any order", () => {
    const withSize = (size: number, idle: readonly string[]) =>
      ({
        mapping: { name: "own", idle },
        levels: new Map([["pe", { spec: { kind: "fanout" }, fields: new Map([["size", () => size]]) }]]),
        inArchitecture: (path: readonly string[]) => () => path.join("."),
        design: { mapping: { at: (path: readonly string[]) => path.join(".") } },
      }) as unknown as CompiledDesign;
    const einsum = (loops: number, spread: boolean) =>
      ({ fanouts: [{ level: "pe", loops }], spreadOver: spread ? ["pe"] : [] }) as unknown as CompiledEinsum;
    const [looped, last, dealt, idle] = [einsum(1, false), einsum(-2, false), einsum(0, true), einsum(0, false)];
    const check = (einsums: readonly CompiledEinsum[], size = 2, said: readonly string[] = []): string =>
      messageOf(() => checkInstances(withSize(size, said), einsums, none));
    for (const works of [looped, last, dealt]) {
      for (const order of [[works], [works, idle], [idle, works], [works, works]]) {
        expect(check(order)).toBe("");
        expect(check(order, 2, ["pe"])).toContain("idle.0: got pe, over which an Einsum has a loop; expected fan-outs");
      }
    }
    for (const order of [[idle], [idle, idle]]) {
      expect(check(order)).toContain("levels.pe.size: got 2 instances of pe");
      expect([check(order, 1), check(order, 2, ["pe"]), check(order, 0)]).toEqual(["", "", ""]);
    }
    expect(check([idle], 2, ["pe", "other"])).toContain(
      "idle.1: got the level 'other'; expected fan-outs without a loop: pe",
    );
    expect(check([looped], 2, ["other"])).toContain("expected fan-outs without a loop: there is none");
  });

  it("a buffer holds each seat's largest tile of a phase, twice where it streams in, and nothing that is spilled", () => {
    const sram = (buffering?: string) => ({ kind: "sram", buffering });
    const needed = (more: object, second: object = {}): number => {
      const path = [
        { index: 0, spec: { kind: "dram" } },
        { index: 7, spec: sram() },
      ];
      const one = {
        ...{ name: "one", path, seats: [0, 1], spilled: [0, 0], bits: [16, 12] },
        accesses: [{ levels: [{ level: 0 }, { level: 1 }] }, { levels: [{ level: 1 }] }],
        tiles: [[100, 10], [3]],
      };
      const counts = [
        { ...one, ...more },
        { ...one, name: "two", tiles: [[0, 0], [0]], ...second },
      ] as unknown as readonly EinsumCounts[];
      const withBytes = (bytes: number) =>
        ({
          levels: new Map([
            ["dram", { name: "dram", index: 0, spec: { kind: "dram" }, fields: new Map() }],
            ["l1", { name: "l1", index: 7, spec: sram(), fields: new Map([["bytes", () => bytes]]) }],
          ]),
          phases: [
            { name: "first", einsums: ["one"] },
            { name: "last", einsums: ["two"] },
          ],
          seats: ["A", "B"],
          design: { mapping: { at: () => "mapping" } },
        }) as unknown as CompiledDesign;
      const fits = (bytes: number): boolean => messageOf(() => checkBuffers(withBytes(bytes), counts, none)) === "";
      let least = 0;
      while (!fits(least)) least += 1;
      if (least > 0)
        expect(messageOf(() => checkBuffers(withBytes(least - 1), counts, none))).toContain(
          `tiles of ${least} bytes in l1 for phase ${more === nothing ? "last" : "first"}, 1 byte over its ${least - 1};`,
        );
      return least;
    };
    const nothing = { tiles: [[0, 0], [0]] };
    // Ten words of two bytes, three of one and a half.
    expect(needed({})).toBe(Math.ceil(20 + 4.5));
    expect(needed({ spilled: [0.5, 0] })).toBe(5);
    expect(needed({ spilled: [0, 0.001] })).toBe(20);
    expect(needed({ seats: [1, 1] })).toBe(20);
    expect(needed(nothing, { tiles: [[0, 4], [0]] })).toBe(8);
    expect(needed({}, { tiles: [[0, 9], [4]] })).toBe(25);
    const double = [
      { index: 0, spec: { kind: "dram" } },
      { index: 7, spec: sram("double") },
    ];
    expect(needed({ path: double })).toBe(Math.ceil(2 * 20 + 4.5));
    expect(needed({ path: double, spilled: [1, 0] })).toBe(5);
  });
});
