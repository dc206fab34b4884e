import { describe, expect, it } from "vitest";
import type { KeyMask } from "../../src/attention/sequences.js";
import { specFiles } from "../../src/io/spec-files.js";
import { type CompiledDesign, compileDesign } from "../../src/model/compile.js";
import { scheduleOfDesign } from "../../src/model/schedule/of-design.js";
import { loadDesign, type SpecSource } from "../../src/spec/load.js";

// FuseMax on 4 x 3 PEs, two query tiles and two query heads a block, with other loops around its key tiles.

const sizes = { B: 2, H: 3, E: 4, F: 4, M: 22, queries: 13, modelDim: 1, feedForward: 1, group: 5 };
type Change = (text: string) => string;

const compiledWith = new Map<Change, CompiledDesign>();
function compiledBy(change: Change): CompiledDesign {
  const source: SpecSource = {
    ...specFiles,
    read: (kind, name, from) => {
      const spec = specFiles.read(kind, name, from);
      return spec && (kind === "mappings" ? { ...spec, text: change(spec.text) } : spec);
    },
  };
  const compiled =
    compiledWith.get(change) ??
    compileDesign(loadDesign(source, "fusemax"), {
      patches: [
        { path: "architecture.parameters.rows", value: 4 },
        { path: "architecture.parameters.columns", value: 3 },
        { path: "mapping.symbols.headTiles", value: 2 },
        { path: "mapping.symbols.queryTiles", value: 2 },
      ],
    });
  compiledWith.set(change, compiled);
  return compiled;
}
const workOf = (change: Change, other: Partial<typeof sizes> = {}, mask?: KeyMask) =>
  scheduleOfDesign(compiledBy(change), { sizes: { ...sizes, ...other }, mask }).work;

/** Other loops in place of those outside of the key tiles, and of the first inside. */
const loops =
  (outside: string, inside: string): Change =>
  text =>
    text
      .replaceAll("[B, H, G2, P2, M1]", `[${outside}, M1]`)
      .replaceAll("[B, H, G2, P2]", `[${outside}]`)
      .replaceAll("[G1, P1", `[${inside}`);
const asItIs: Change = text => text;
const batchInside = loops("H, G2, P2", "B, G1, P1");
const batchAside: Change = text => loops("H, G2, P2", "G1, P1")(text).replaceAll("[P0]", "[B, P0]");

const base = {
  sequences: [{ count: 2, queries: 13, keys: 22, rows: 13 }],
  ...{ group: 1, window: { left: -1, right: -1 }, heads: 3, headTiles: [2, 2, 1] },
  ...{ blockTiles: 2, tileRows: 3, tileKeys: 4 },
};
const alone = [{ count: 1, queries: 13, keys: 22, rows: 13 }];

describe("the tiles of loops in another order", () => {
  it.each<readonly [string, Change, object]>([
    ["query heads by two, blocks of two query tiles", asItIs, {}],
    ["a batch's sequences share the keys' loop", batchInside, { sequences: alone, headTiles: [4, 4, 2] }],
    ["heads share it too", loops("B, G2, P2", "H, G1, P1"), { heads: 1, headTiles: [6, 6, 3] }],
    ["a batch's sequences side by side", batchAside, { sequences: alone }],
    [
      "all query tiles of a head in one block",
      text => loops("B, H, G2", "G1, P1")(text).replace("P2: rest, P1: queryTiles", "P1: rest"),
      { blockTiles: 5 },
    ],
    [
      "all queries in one tile",
      text =>
        loops(
          "B, H, G2",
          "G1",
        )(text)
          .replace(/^ *P: \{ P2.*\n/m, "")
          .replaceAll("[P0]", "[P]"),
      { blockTiles: 1, tileRows: 13 },
    ],
    [
      "queries one after the other",
      text =>
        loops(
          "B, H, G2",
          "G1, P",
        )(text)
          .replace(/^ *P: \{ P2.*\n/m, "")
          .replaceAll("[P0]", "[]"),
      { blockTiles: 13, tileRows: 1 },
    ],
    [
      // What is inside of the second is a tile: two of 4 keys, two query tiles of two heads.
      "keys that are cut twice",
      text =>
        text
          .replaceAll("P2, M1]", "P2, M2, M1]")
          .replace("M: { M1: rest,", "M: { M2: rest, M1: 2,")
          .replace("G, M1, F", "G, M2, M1, F"),
      { heads: 9, headTiles: [1], blockTiles: 1, tileRows: 6, tileKeys: 8 },
    ],
  ])("are counted by hand: %s", (_, change, other) => {
    expect(workOf(change)).toEqual({ ...base, ...other });
  });

  it.each<readonly [string, readonly (readonly [number, number])[], number]>([
    [
      "the one with the most scores",
      [
        [2, 20],
        [5, 9],
        [9, 2],
      ],
      1,
    ],
    [
      "the last",
      [
        [1, 1],
        [2, 3],
        [6, 6],
      ],
      2,
    ],
    [
      "the first of two that are as long",
      [
        [3, 8],
        [8, 3],
        [1, 22],
      ],
      0,
    ],
  ])("are those of a batch's longest sequence where its sequences are side by side: %s", (_, all, longest) => {
    const sequences = all.map(([queries, keys]) => ({ count: 2, queries, keys }));
    const { sequences: walked } = workOf(batchAside, {}, { left: -1, right: 0, sequences });
    const [queries, keys] = all[longest] ?? [];
    expect(walked).toEqual([{ count: 1, queries, keys, rows: queries }]);
    // One after the other all of them are walked.
    expect(workOf(asItIs, {}, { left: -1, right: 0, sequences }).sequences).toEqual(
      sequences.map(own => ({ ...own, rows: own.queries })),
    );
  });

  it("are refused where they cannot be counted", () => {
    const sequences = [{ count: 2, queries: 13, keys: 22 }];
    expect(() => workOf(batchInside, {}, { left: -1, right: 0, sequences })).toThrow(
      /got sequences of a batch that share a block of queries, and a mask; expected loops over heads and blocks/,
    );
    const twoCuts: Change = text =>
      loops("B, H2, G2, P2", "H1, G1, P1")(text).replace("partitions:\n", "partitions:\n  H: { H2: rest, H1: 2 }\n");
    expect(() => workOf(twoCuts)).toThrow(/got H and G both cut around the tiles of keys/);
    expect(workOf(asItIs, { group: 2e6 }).headTiles.length).toBe(1e6);
    expect(() => workOf(asItIs, { group: 2e6 + 1 })).toThrow(/got 1000000\.5 heads of one block/);
  });
});
