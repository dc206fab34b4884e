import { describe, expect, it } from "vitest";
import type { KeyMask } from "../../src/attention/sequences.js";
import { specFiles } from "../../src/io/spec-files.js";
import { compileDesign } from "../../src/model/compile.js";
import { scheduleOfDesign } from "../../src/model/schedule/of-design.js";
import { loadDesign } from "../../src/spec/load.js";
import { fusemaxWith } from "./small-cases.js";

const sizes = { B: 2, H: 3, E: 4, F: 4, M: 22, queries: 12, modelDim: 1, feedForward: 1, group: 1 };

interface Given {
  readonly sizes?: Partial<typeof sizes>;
  readonly mask?: KeyMask;
  readonly fields?: Readonly<Record<string, number | string>>;
}

/** FuseMax with 4 x 3 PEs. */
function designOf({ sizes: other = {}, mask, fields = {} }: Given = {}) {
  const { compiled, variables } = fusemaxWith({
    "architecture.parameters.rows": 4,
    "architecture.parameters.columns": 3,
    ...fields,
  });
  return scheduleOfDesign(compiled, { sizes: { ...sizes, ...other }, mask, variables });
}
const workOf = (given?: Given) => designOf(given).work;

describe("the tiles that a design walks", () => {
  it("are of 3 queries and 4 keys, the blocks of a head all of its four query tiles", () => {
    expect(workOf()).toEqual({
      sequences: [{ count: 2, queries: 12, keys: 22, rows: 12 }],
      ...{ group: 1, window: { left: -1, right: -1 }, heads: 3, headTiles: [1] },
      ...{ blockTiles: 4, tileRows: 3, tileKeys: 4 },
    });
  });

  it("have query heads side by side where the queries of one do not fill the columns", () => {
    const work = workOf({ sizes: { queries: 2, group: 6 } });
    expect(work).toMatchObject({ sequences: [{ queries: 2, rows: 12 }], group: 6, heads: 3, headTiles: [1] });
  });

  it.each([
    [1, 1, [1]],
    [5, 1, [1]],
    [5, 5, [5]],
    [5, 2, [2, 2, 1]],
    [5, 3, [3, 2]],
    [6, 3, [3]],
  ])("share a block of keys among %i query heads, %i at a time: %j", (group, headTiles, expected) => {
    const fields = { "mapping.symbols.headTiles": headTiles, "mapping.symbols.queryTiles": 2 };
    const work = workOf({ sizes: { group }, fields });
    // Blocks of one size are heads of their own.
    const even = group % headTiles === 0;
    expect(work).toMatchObject({ group: 1, blockTiles: 2 });
    const whole = work.headTiles.reduce((a, b) => a + b, 0) * work.heads;
    expect(whole).toBe(3 * group);
    expect(even ? new Set(work.headTiles) : work.headTiles).toEqual(even ? new Set(expected) : expected);
  });

  it("are of a batch's sequences, with what a mask says of each", () => {
    const lengths = [
      { count: 3, queries: 12, keys: 22 },
      { count: 1, queries: 5, keys: 9 },
    ];
    const work = workOf({ mask: { left: 7, right: 0, sequences: lengths }, sizes: { B: 4 } });
    expect(work.window).toEqual({ left: 7, right: 0 });
    expect(work.sequences).toEqual(lengths.map(own => ({ ...own, rows: own.queries })));
    const packed = workOf({
      mask: { left: 7, right: 0, sequences: [{ count: 2, queries: 2, keys: 9 }] },
      sizes: { queries: 2, group: 2 },
    });
    expect(packed).toMatchObject({ group: 2, sequences: [{ queries: 2, rows: 4 }] });
  });

  it("are whole numbers of queries and keys", () => {
    expect(() => workOf({ fields: { "architecture.parameters.rows": 0 } })).toThrow(
      /partitions: got tiles of 0; expected whole numbers from 1 up/,
    );
  });
});

describe("what an architecture says of time", () => {
  it("is ports and the way back up", () => {
    expect(designOf().arrays).toMatchObject({ readPorts: Infinity, writePorts: Infinity, upward: { by: "columns" } });
    const fields = {
      "architecture.timing.bufferReadRows": 1,
      "architecture.timing.bufferWriteRows": 3,
      "architecture.timing.rmReturn": 5,
      "architecture.timing.dramLatencyCycles": 0,
    };
    const own = designOf({ fields });
    expect(own.arrays).toMatchObject({ readPorts: 1, writePorts: 3, upward: { by: "buffer", latencyCycles: 5 } });
    expect(own.dram.latencyCycles).toBe(0);
    expect(designOf().dram.latencyCycles).toBe(100);
  });

  it.each([
    ["bufferReadRows", 0, "1"],
    ["bufferWriteRows", 1.5, "1"],
    ["rmReturn", -1, "0"],
    ["rmReturn", 0.5, "0"],
  ])("is refused where no port or cycle is whole: %s %d", (field, value, least) => {
    expect(() => designOf({ fields: { [`architecture.timing.${field}`]: value } })).toThrow(
      new RegExp(`timing\\.${field}: got ${value}; expected a whole number from ${least} up`),
    );
  });

  it("refuses a DRAM's latency where it is asked for", () => {
    const own = designOf({ fields: { "architecture.timing.dramLatencyCycles": -1 } });
    expect(() => own.dram).toThrow(/dramLatencyCycles: got -1; expected a whole number from 0 up/);
  });

  it("is as many ports as wanted where it says nothing, ways back up the columns and DRAM's usual 100 cycles", () => {
    const { arrays, dram } = scheduleOfDesign(compileDesign(loadDesign(specFiles, "tpu-v4")), { sizes });
    expect(arrays).toMatchObject({ readPorts: Infinity, writePorts: Infinity, upward: { by: "columns" } });
    expect(dram.latencyCycles).toBe(100);
    // A schedule that nobody wrote is held to no register file.
    expect(arrays.arrays).toEqual({
      matrix: { rows: 128, grid: true, registers: Infinity },
      vector: { rows: 128, grid: true, registers: Infinity },
    });
  });
});
