import { describe, expect, it } from "vitest";
import { noMask } from "../../src/attention/mask.js";
import { runArray } from "../../src/fusemax-array/array.js";
import { Links } from "../../src/fusemax-array/links.js";
import { formatArithmetics } from "../../src/numerics/format-of.js";
import type { ScheduleMachine } from "../../src/spec/schedule/machine.js";
import { parseSchedule, type ScheduleText, withLag } from "../../src/spec/schedule/schedule.js";
import { texts } from "./small-cases.js";

const machine: ScheduleMachine = {
  rows: 2,
  columns: 2,
  readPorts: Number.POSITIVE_INFINITY,
  writePorts: Number.POSITIVE_INFINITY,
  rmReturn: { by: "columns" },
  divideCycles: 1,
  registers2d: 16,
  registers1d: 16,
};
const shape = { batch: 1, heads: 1, kvHeads: 1, queries: 4, keys: 6, headDim: 3, valueDim: 2 };
const problem = { shape, mask: noMask, tile: { m0: 2, p0: 2 }, arithmetic: formatArithmetics.bf16, scale: 1 };
const operands = {
  q: new Float32Array(12).fill(0.5),
  k: new Float32Array(18).fill(0.25),
  v: new Float32Array(12).fill(1),
};

interface Text {
  readonly tiles: ScheduleText["tiles"];
  readonly "2d": string;
  readonly "1d": string;
}
const good = texts["fusemax"] as ScheduleText;

const run = (text: Partial<Text>, on: Partial<ScheduleMachine> = {}, blockTiles = 2) =>
  runArray(withLag(parseSchedule("mine", scheduleText(text)), 1), { ...machine, ...on }, blockTiles, problem, operands);

function scheduleText({ tiles = good.tiles, ...programs }: Partial<Text>): ScheduleText {
  return { tiles, programs: { ...good.programs, ...programs } };
}

/** What the array cannot do is an error that names cycle, PE and tensor: it never computes with a value that is not there. */
describe("conflicts in the register-level array", () => {
  it("runs without one", () => expect(run({}).av.every(x => x === 1)).toBe(true));

  it("two values on one link in one cycle", () => {
    const links = new Links(i => `PE (0, ${i}), west latch`, 2);
    links.drive(1, { tensor: "BK", tile: 3, index: 0, value: 1 }, 7);
    expect(() => links.drive(1, { tensor: "BV", tile: 2, index: 5, value: 1 }, 7)).toThrow(
      "cycle 7, PE (0, 1), west latch: got BK[tile 3, 0] and BV[tile 2, 5] on one link; expected one value per cycle",
    );
  });

  it("a register file over its depth", () =>
    expect(() => run({}, { registers2d: 3 })).toThrow(
      /^cycle \d+, PE \(0, 0\), registers: got 4 values at once, the north link's included \(.*BQK\[tile \d+, 0\].*\); expected at most 3/,
    ));

  it("a value that has not been made", () =>
    expect(() => run({ "2d": "(SLNV[b] | BQK[d]) -> LM[d] -> SLD[c] -> SLN[c]" })).toThrow(
      /^cycle \d+, PE \(0, 0\), registers: got .*; expected SLN\[tile 0, 0\]; the value has not been made/,
    ));

  it("a running value that an earlier key tile has not left yet", () =>
    expect(() =>
      run(
        {
          tiles: { d: 0, c: 1, b: 2, a: 3 },
          "2d": "(SLNV[b] | BQK[d]) -> LM[d] -> SLN[c] -> SLD[c]",
          "1d": "(SPNV[a] | RNV[a] | RM[c]) -> RD[a] -> PRM[c] -> SPD[c] -> AV[a]",
        },
        {},
        1,
      ),
    ).toThrow(/^cycle \d+, 1D PE 0, row RD\[query tile 0, 0\] of the global buffer: no value/));

  it("arrays that wait for each other", () =>
    expect(() => run({ tiles: { d: 0, c: 0, b: 1 }, "2d": "BQK[d] -> LM[d] -> SLN[c] -> SLD[c] -> SLNV[b]" })).toThrow(
      /a deadlock: the 2D array waits with SLN of tile 1, the 1D array with RNV of tile 0/,
    ));

  it("an array that is too large", () => {
    expect(() => run({}, { rows: 33 })).toThrow(/got 33 x 2 PEs; expected at most 32 x 32/);
  });
});
