import { describe, expect, it } from "vitest";
import type { MappedEinsum, NestLoop } from "../../src/emulator/observe-nest.js";
import { coupleRanks, type MaskedNest } from "../../src/model/coupled-counts.js";
import type { MaskRole } from "../../src/model/mask-ranks.js";
import { maskedCounts } from "../../src/model/masked-counts.js";
import { scoresOf, walkLength } from "../../src/model/walk-length.js";
import { modelNest } from "./random-nest.js";

// When a count under a mask is walked, and when a bound takes its place: lengths of walks by hand.

type Rank = "b" | "r" | "k" | "e";
const roleOf: Readonly<Record<Rank, MaskRole>> = { b: "batch", r: "queries", k: "keys", e: undefined };

/** A nest of ranks with such bounds; each level's loops, `r0 k0`, of a memory or, with a star in front, of a fan-out. */
function nestOf(bounds: Partial<Record<Rank, readonly number[]>>, levels: readonly string[], keys?: number) {
  const names = Object.keys(bounds) as Rank[];
  const ranks = names.map(name => {
    const own = bounds[name] as readonly number[];
    const all = own.reduce((product, bound) => product * bound, 1);
    return { size: name === "k" ? (keys ?? all) : all, bounds: own };
  });
  const loops = levels.flatMap((text, level) =>
    [...text.matchAll(/([brke])(\d)/g)].map(([, rank, part]): NestLoop => {
      return { level, rank: names.indexOf(rank as Rank), part: Number(part) };
    }),
  );
  const einsum: MappedEinsum = {
    levels: levels.map((text, i) => ({ name: `L${i}`, instances: text.startsWith("*") ? 99 : undefined })),
    ...{ ranks, loops, tensors: [], operations: { mac: 1 } },
  };
  const { shape, ranks: ranksAlone } = modelNest(einsum);
  const coupled = coupleRanks(
    shape,
    names.map(name => roleOf[name]),
  );
  if (coupled === undefined) throw new Error("nothing coupled");
  const nest: MaskedNest = { shape, ranksAlone, coupled };
  /** The loops of a text as a mask of their bits. */
  const bits = (text: string): number =>
    [...text.matchAll(/([brke])(\d)/g)].reduce((mask, [, rank, part]) => {
      const own = shape.ranks[names.indexOf(rank as Rank)];
      return mask | (1 << ((own?.shift ?? 0) + Number(part)));
    }, 0);
  return { nest, bits };
}

describe("how long a walk of a masked nest is", () => {
  const all = { b: [2], r: [3, 2], k: [5, 2], e: [4] };
  it.each<[string, Partial<Record<Rank, readonly number[]>>, readonly string[], number, string, number, number?]>([
    // 2 sequences of 3 blocks of rows: the tiles of keys, innermost, are taken at once.
    ["keys at once", all, ["b0 e0 r0 k0", "r1 k1"], 1, "k1", 2 * 3],
    ["keys outside of another loop", all, ["b0 r0 k0 e0", "r1 k1"], 1, "k1", 2 * 3 * 5],
    ["each row with each tile of keys", all, ["b0 e0 r0 k0", "r1 k1"], 1, "r1 k1", 2 * 6 * 5],
    ["each row with each key, where keys are no words", all, ["b0 e0 r0 k0", "r1 k1"], 1, "", 2 * 6 * 10],
    ["memories of a rank that no mask couples", all, ["b0 r0 k0", "*e0", "r1 k1"], 2, "e0 k1", 4 * 2 * 3],
    ["those that share a memory", all, ["b0 r0 k0", "*e0", "r1 k1"], 2, "k1", 2 * 3],
    ["such memories with each key", all, ["b0 r0 k0", "*e0", "r1 k1"], 2, "e0", 4 * 2 * 6 * 10],
    ["memories of rows, no more than the rows", all, ["b0 e0 r0 k0", "*r1", "k1"], 2, "r1 k1", 2 * 6 * 5],
    ["memories of keys", all, ["b0 e0 r0 k0", "*k1", "r1"], 2, "k1", 2 * 6 * 10],
    ["no more tiles of keys than keys", all, ["b0 e0 r0 k0", "*k1", "r1"], 2, "k1", 2 * 6 * 9, 9],
    ["one of two parts of keys", { ...all, k: [5, 1, 2] }, ["b0 r0 k0", "r1 k1 k2"], 1, "k2", 2 * 6 * 10],
    ["one of two parts of rows", { ...all, r: [3, 1, 2] }, ["b0 r0 k0", "r1 r2 k1"], 1, "r2 k1", 2 * 6 * 5],
    ["one sequence", { r: [3, 2], k: [5, 2] }, ["r0 k0", "r1 k1"], 1, "r1 k1", 6 * 5],
    ["no keys", { r: [3, 2], e: [4] }, ["r0 e0", "r1"], 1, "r1", 6],
    ["no rows", { k: [5, 2], e: [4] }, ["k0 e0", "k1"], 1, "", 10],
    ["no loop outside", all, ["b0 e0 r0 k0", "r1 k1"], 0, "k0 k1", 1],
  ])("%s", (_, bounds, levels, level, words, length, keys) => {
    const { nest, bits } = nestOf(bounds, levels, keys);
    expect(walkLength(nest, level, bits(words))).toBe(length);
  });

  it("is of all scores where each is looked at", () => {
    expect(scoresOf(nestOf(all, ["b0 e0 r0 k0", "r1 k1"]).nest)).toBe(2 * 6 * 10);
    expect(scoresOf(nestOf({ r: [3, 2], e: [4] }, ["r0 e0", "r1"]).nest)).toBe(6);
    expect(scoresOf(nestOf({ k: [5, 2], e: [4] }, ["k0 e0", "k1"]).nest)).toBe(10);
  });
});

describe("counts under a mask", () => {
  const region = (rows: number, keys: number) => ({
    ...{ group: 1, left: -1, right: 0 },
    sequences: [{ count: 1, queries: rows, keys }],
  });
  const counted = (rows: readonly [number, number], keys: number, longest?: number) => {
    const { nest, bits } = nestOf({ r: rows, k: [keys] }, ["r0 k0", "r1"]);
    const boxes = nest.ranksAlone.map(({ table }) => table);
    return { counts: maskedCounts(nest, boxes, region(rows[0] * rows[1], keys), longest), bits };
  };

  it("are walked for 2^14 visits, or as many as are asked for, and no longer", () => {
    // A tile of keys of each row: as many visits as rows times keys, and each key comes again for each row that sees it.
    const words = (keys: number, longest?: number): number | undefined => {
      const { counts, bits } = counted([128, 1], keys, longest);
      return counts.fetched?.(bits("k0 r1"), 1, bits("r1"));
    };
    // But one: the second row begins on the key that the first has seen.
    expect(words(128)).toBe((128 * 129) / 2 - 1);
    expect(words(129)).toBeUndefined();
    expect(words(4, 4 * 128)).toBeDefined();
    expect(words(4, 4 * 128 - 1)).toBeUndefined();
    expect(words(1, 0)).toBeUndefined();
  });

  it("of touched tiles are looked at score by score up to 2^16 scores", () => {
    // Of the rows of one parity, which have no closed form.
    const held = (keys: number): number | undefined => {
      const { counts, bits } = counted([128, 2], keys);
      return counts.touched?.(bits("k0"), bits("r1 k0"));
    };
    // Tiles are a parity and a key: the last row, which is odd, sees all keys, the last but one all but one.
    expect(held(256)).toBe(2 * 256 - 1);
    expect(held(257)).toBeUndefined();
  });
});
