import { describe, expect, it } from "vitest";
import { scheduleOfDesign } from "../../src/model/schedule/of-design.js";
import { fusemaxWith } from "./small-cases.js";

/** FuseMax with 4 x 3 PEs, two query tiles a block and a buffer of so many bytes. */
function designOf(bytes: number, { headTiles = 1, group = 1 } = {}) {
  const { compiled, variables } = fusemaxWith({
    "architecture.parameters.rows": 4,
    "architecture.parameters.columns": 3,
    "architecture.levels.buffer.bytes": bytes,
    "mapping.symbols.packed": 1,
    "mapping.symbols.headTiles": headTiles,
    "mapping.symbols.queryTiles": 2,
  });
  const sizes = { B: 2, H: 3, E: 5, F: 7, M: 22, queries: 12, modelDim: 4, feedForward: 4, group };
  return scheduleOfDesign(compiled, { sizes, variables });
}

describe("what a design gives its schedule", () => {
  /** Of 16 bits: a tile of K and V; one of Q; what runs beside a tile of queries: RM, RD and F values of RNV. */
  const [keys, queries, running] = [2 * 4 * (5 + 7), 2 * 3 * 5, 2 * 3 * (1 + 1 + 7)];
  const least = 2 * (queries + running) + keys;

  it.each([
    ["its least", least, 1, 2],
    ["less than that", 0, 1, 2],
    ["no further tile of keys", least + queries - 1, 1, 2],
    ["a tile of queries of the next block", least + queries, 1, 3],
    ["one more tile of keys", least + keys, 2, 2],
    ["three more, and no more of queries", least + 3 * keys + queries - 1, 4, 2],
    ["three more, and one of queries", least + 3 * keys + queries, 4, 3],
    ["three more, and the next block's queries", least + 3 * keys + 100 * queries, 4, 4],
  ])("is a buffer that holds %s", (_, bytes, held, blockQueries) => {
    const { dram } = designOf(bytes);
    expect(dram.tilesHeld).toEqual({ Q: blockQueries, BK: held, BV: held });
  });

  it("is a buffer for the queries of all heads that share a block, the most of any block", () => {
    // Three heads, two at a time: blocks of four query tiles and of two.
    expect(designOf(0, { headTiles: 2, group: 3 }).dram.tilesHeld).toMatchObject({ Q: 4 });
  });

  it("is its memory and clock, and its loops", () => {
    const { dram, frequencyHz, work, arrays } = designOf(1e6);
    expect(frequencyHz).toBe(940e6);
    expect(dram.bytesPerCycle).toBeCloseTo((400 * 2 ** 30) / 940e6, 9);
    expect(dram.elementBytes).toMatchObject({ Q: 2, BK: 2, BV: 2, AV: 2 });
    expect(work).toMatchObject({ heads: 3, headTiles: [1], blockTiles: 2, tileRows: 3, tileKeys: 4, group: 1 });
    expect(work.sequences).toMatchObject([{ count: 2, rows: 12, keys: 22 }]);
    expect(arrays.arrays["2d"]).toMatchObject({ rows: 4, grid: true, registers: 12 });
    expect(arrays.arrays["1d"]).toMatchObject({ rows: 1, grid: false });
  });
});
