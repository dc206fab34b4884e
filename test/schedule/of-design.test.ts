import { describe, expect, it } from "vitest";
import { specFiles } from "../../src/io/spec-files.js";
import { compileDesign } from "../../src/model/compile.js";
import { scheduleOfDesign, withRegisterFiles } from "../../src/model/schedule/of-design.js";
import { valuesOf } from "../../src/model/values.js";
import { loadDesign } from "../../src/spec/load.js";
import { designWithTerms } from "../../src/spec/score-terms/design.js";
import { fusemaxWith } from "./small-cases.js";

const all = { B: 2, H: 3, E: 5, F: 7, M: 22, queries: 12, modelDim: 4, feedForward: 4, group: 1 };

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
  const sizes = { ...all, group };
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

  it("has room for two tiles of what comes with each tile of scores: one is used while the next is loaded", () => {
    const bias = { batch: false, heads: true, queries: true, keys: true };
    const { design } = designWithTerms(loadDesign(specFiles, "fusemax"), { softcap: null, bias });
    const { arrays, dram } = scheduleOfDesign(compileDesign(design), { sizes: all });
    const byTile = arrays.einsums.flatMap(({ loads }) => loads.filter(({ by }) => by === "tiles"));
    expect(byTile.map(({ tensor }) => dram.tilesHeld[tensor])).toEqual([2]);
  });

  it("holds arrays to their register files where a schedule is written, or where that is asked for", () => {
    const compiled = compileDesign(loadDesign(specFiles, "tpu-v4"));
    const { arrays } = scheduleOfDesign(compiled, { sizes: all });
    const { arrays: held, ...others } = withRegisterFiles(compiled, arrays, valuesOf(compiled, all));
    expect({ ...others, arrays: arrays.arrays }).toEqual(arrays);
    const registersOf = (own: typeof held) => Object.values(own).map(({ registers }) => Number.isFinite(registers));
    expect([registersOf(arrays.arrays), registersOf(held)]).toEqual([
      [false, false],
      [true, true],
    ]);
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
