import { describe, expect, it } from "vitest";
import { rowBits, type SequenceClass } from "../../src/attention/sequences.js";
import { blocksTouched, blocksTouchedUpTo, tilesOfRows, withinBlocksTouched } from "../../src/model/visible-blocks.js";

// Blocks of rows of a mask of bits: 5 queries of two heads, 70 keys, of which row r sees r, 31, 32 and 69 - r.
const [group, queries, keys] = [2, 5, 70];
const rows = queries * group;
const seenBy = (row: number): readonly number[] => [...new Set([row, 31, 32, keys - 1 - row])];

/** The sequence, whose bits there are of its rows and of its keys alone. */
function sequenceOf(): SequenceClass {
  const bits = rowBits((row, w, together) => {
    if (row >= rows || 32 * w >= keys || together !== group) throw new Error(`word ${w} of row ${row}`);
    return seenBy(row).reduce((word, key) => (key >>> 5 === w ? (word | (1 << (key & 31))) >>> 0 : word), 0);
  });
  return { count: 1, queries, keys, bits };
}
const region = (sequence: SequenceClass) => ({ group, left: -1, right: -1, sequences: [sequence] });

/** By block the tiles of `width` keys that its rows see, ascending. */
function tilesByBlock(step: number, width: number): readonly (readonly number[])[] {
  return Array.from({ length: Math.ceil(rows / step) }, (_, block) => {
    const own = Array.from({ length: Math.min(step, rows - block * step) }, (_, r) => seenBy(block * step + r));
    return [...new Set(own.flat().map(key => Math.floor(key / width)))].sort((a, b) => a - b);
  });
}

describe("blocks of a mask of bits", () => {
  const steps = [1, 2, 3, 4, 7, 10, 16];
  const widths = [1, 5, 16, 31, 32, 33, 64, 70, 99];

  it("law: see the tiles that their rows see, in order, and look at no row or key that there is not", () => {
    for (const step of steps) {
      for (const width of widths) {
        const sequence = sequenceOf();
        const tilesOf = tilesOfRows(region(sequence), sequence, step);
        const found = tilesByBlock(step, width).map((_, block) => {
          const tiles: number[] = [];
          tilesOf(block, width, tile => tiles.push(tile) > 0);
          return tiles;
        });
        expect(found, `${step} rows, ${width} keys`).toEqual(tilesByBlock(step, width));
      }
    }
  });

  it("are left where what is visited wants no more", () => {
    const sequence = sequenceOf();
    const tilesOf = tilesOfRows(region(sequence), sequence, 3);
    const own = tilesByBlock(3, 1)[1] ?? [];
    for (let most = 1; most <= own.length; most += 1) {
      const tiles: number[] = [];
      tilesOf(1, 1, tile => tiles.push(tile) < most);
      expect(tiles).toEqual(own.slice(0, most));
    }
  });

  it("law: are counted by tiles, by tiles apart, and by what these hold, the last ones in part", () => {
    const sequence = sequenceOf();
    const own = region(sequence);
    const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
    for (const step of steps) {
      for (const width of widths) {
        const grain = { rows: step, keys: width };
        const tiles = tilesByBlock(step, width);
        expect(blocksTouched(own, sequence, grain)).toBe(sum(tiles.map(({ length }) => length)));
        for (const most of [1, 2, 3, 100]) {
          const apart = tiles.map(all => new Set(all.map(tile => tile % most)).size);
          expect(blocksTouchedUpTo(own, sequence, grain, most)).toBe(sum(apart));
        }
        const rowsIn = (block: number): number => Math.min(step, rows - block * step);
        const keysIn = (all: readonly number[]): number => sum(all.map(tile => Math.min(width, keys - tile * width)));
        const within = (counted: { readonly rows: boolean; readonly keys: boolean }): number =>
          withinBlocksTouched(own, sequence, grain, counted);
        expect(within({ rows: true, keys: true })).toBe(sum(tiles.map((all, block) => rowsIn(block) * keysIn(all))));
        expect(within({ rows: false, keys: true })).toBe(sum(tiles.map(keysIn)));
        expect(within({ rows: true, keys: false })).toBe(sum(tiles.map((all, block) => rowsIn(block) * all.length)));
        expect(within({ rows: false, keys: false })).toBe(sum(tiles.map(({ length }) => length)));
      }
    }
  });

  it("are one of all rows, and see some key or none, where a grain has none of either", () => {
    const sequence = sequenceOf();
    const own = region(sequence);
    expect(blocksTouched(own, sequence, { rows: 0, keys: 1 })).toBe(tilesByBlock(rows, 1)[0]?.length);
    expect(blocksTouched(own, sequence, { rows: 3, keys: 0 })).toBe(4);
    const both = { rows: true, keys: true };
    expect(withinBlocksTouched(own, sequence, { rows: 3, keys: 0 }, both)).toBe(rows);
    expect(withinBlocksTouched(own, sequence, { rows: 0, keys: 70 }, both)).toBe(rows * keys);
    // Rows that see nothing, and none at all.
    const nothing = { ...sequence, bits: rowBits(() => 0) };
    expect(blocksTouched(region(nothing), nothing, { rows: 3, keys: 0 })).toBe(0);
    const none = { ...sequenceOf(), queries: 0 };
    expect(blocksTouched(region(none), none, { rows: 0, keys: 1 })).toBe(0);
  });

  it("are counted anew for another grain and another mask", () => {
    const sequence = sequenceOf();
    const all = { ...sequence, bits: rowBits((_, w) => (w < 2 ? 0xffffffff : 0b111111)) };
    const grain = { rows: 5, keys: 7 };
    for (const [of, count] of [
      [sequence, tilesByBlock(5, 7).flat().length],
      [all, 2 * 10],
    ] as const)
      expect([blocksTouched(region(of), of, grain), blocksTouched(region(of), of, grain)]).toEqual([count, count]);
  });
});
