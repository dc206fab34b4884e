import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { rowBits } from "../../src/attention/sequences.js";
import { Position } from "../../src/model/schedule/feed.js";
import { areIntervals } from "../../src/model/schedule/seen-tiles.js";
import { type Block, bitsInKind, TileWalk, tileBits } from "../../src/model/schedule/walk.js";
import type { TileWork } from "../../src/spec/schedule/machine.js";

// The walk over tiles in closed form, against the loops themselves: for block of heads: for query block: for key tile: for
// head: for query tile, where some query of the tile sees some key of the key tile.

const size = (most: number) => fc.integer({ min: 1, max: most });
const works: fc.Arbitrary<TileWork & { readonly sparse: number | undefined }> = fc
  .record({
    lengths: fc.array(
      fc.record({ count: size(2), queries: fc.nat(14), keys: fc.nat(20), leftPad: fc.constantFrom(0, 0, 0, 3, 5) }),
      { minLength: 1, maxLength: 2 },
    ),
    group: size(2),
    window: fc.record({ left: fc.integer({ min: -1, max: 9 }), right: fc.integer({ min: -1, max: 9 }) }),
    heads: size(3),
    headTiles: fc.constantFrom([1], [2], [3, 3], [2, 1]),
    blockTiles: size(3),
    tileRows: size(5),
    tileKeys: size(5),
    sparse: fc.option(fc.constantFrom(1, 2, 9), { nil: undefined }),
  })
  .map(({ lengths, group, sparse, ...work }) => ({
    ...{ ...work, group, sparse },
    sequences: lengths.map(({ queries, count, keys, leftPad }) => {
      const length = { count, rows: queries * group, keys, leftPad };
      if (sparse === undefined) return length;
      // Bits say all of a mask, its window included.
      const word = (row: number, w: number): number => {
        let own = 0;
        for (let bit = 0; bit < 32; bit++)
          if (sees({ ...work, group, sparse }, length, row, 32 * w + bit)) own += 2 ** bit;
        return own;
      };
      return { ...length, bits: rowBits(word) };
    }),
  }));

/** Whether a row sees a key. */
function sees(
  {
    group,
    window: { left, right },
    sparse,
  }: Pick<TileWork, "group" | "window"> & { readonly sparse: number | undefined },
  { rows, keys, leftPad = 0 }: TileWork["sequences"][number],
  row: number,
  m: number,
): boolean {
  const i = Math.floor(row / group) + keys - rows / group;
  const inWindow = m >= leftPad && m < keys && (left < 0 || m >= i - left) && (right < 0 || m <= i + right);
  return inWindow && (sparse === undefined || ((row * 7919 + m * 104729) >>> 2) % sparse === 0);
}

/** The key tiles that each query tile of a sequence sees. */
function seenBy(work: TileWork & { readonly sparse: number | undefined }, sequence: number): readonly Set<number>[] {
  const { tileRows, tileKeys } = work;
  const own = work.sequences[sequence] as TileWork["sequences"][number];
  const tiles = Array.from({ length: Math.ceil(own.rows / tileRows) }, () => new Set<number>());
  for (let row = 0; row < own.rows; row++) {
    for (let m = 0; m < own.keys; m++) {
      if (sees(work, own, row, m)) tiles[Math.floor(row / tileRows)]?.add(Math.floor(m / tileKeys));
    }
  }
  return tiles;
}

interface Visit {
  readonly m1: number;
  readonly head: number;
  readonly p: number;
  readonly kind: number;
}

/** The tiles of a block in order, without the number of columns in their kinds. */
function visitsOf(seen: readonly Set<number>[], first: number, blockTiles: number, heads: number): readonly Visit[] {
  const own = [...seen.keys()].slice(first, first + blockTiles);
  const keyTiles = [...new Set(own.flatMap(p => [...(seen[p] ?? [])]))].sort((a, b) => a - b);
  return keyTiles.flatMap(m1 => {
    const row = Array.from({ length: heads }, (_, head) =>
      own.flatMap(p => {
        const tiles = [...(seen[p] ?? [])];
        if (!tiles.includes(m1)) return [];
        const ends = (m1 === Math.min(...tiles) ? tileBits.first : 0) | (m1 === Math.max(...tiles) ? tileBits.last : 0);
        return [{ m1, head, p, kind: tileBits.exists | ends }];
      }),
    ).flat();
    return row.map((visit, i) => ({
      ...visit,
      kind: visit.kind | (i === 0 ? tileBits.opens : 0) | (i === row.length - 1 ? tileBits.closes : 0),
    }));
  });
}

/** Kinds of a row, tile by tile. */
const expanded = (runs: readonly { readonly kind: number; readonly count: number }[]): readonly number[] =>
  runs.flatMap(({ kind, count }) => Array<number>(count).fill(kind));
const withoutColumns = (kind: number): number => kind & ((1 << bitsInKind) - 1);

/** The rows of a block, each key tile by itself. */
function rowsOf(walk: TileWalk, block: Block): readonly (readonly [m1: number, kinds: readonly number[]])[] {
  const rows: (readonly [number, readonly number[]])[] = [];
  for (let m1 = block.begin; ; ) {
    const row = walk.row(block, m1);
    if (row === null) return rows;
    const kinds = expanded(row.runs);
    expect(row.tiles).toBe(kinds.length);
    expect(row.alike).toBeGreaterThanOrEqual(1);
    // Rows that are said to be alike are.
    for (let i = 1; i < row.alike; i++) expect(expanded(walk.row(block, row.m1 + i)?.runs ?? [])).toEqual(kinds);
    rows.push([row.m1, kinds]);
    m1 = row.m1 + 1;
  }
}

describe("the walk over tiles", () => {
  it("law: has the tiles of the loops, in their order, and says which are first and last", () => {
    fc.assert(
      fc.property(works, work => {
        const walk = new TileWalk(work);
        let tiles = 0;
        let least = Number.POSITIVE_INFINITY;
        const even = work.headTiles.every(heads => heads === work.headTiles[0]);
        expect(walk.headIsBlockOfHeads).toBe(even);
        const walked = work.sequences.flatMap(({ rows, keys }, i) => (rows > 0 && keys > 0 ? [i] : []));
        expect(walk.parts.map(({ sequence }) => sequence)).toEqual(walked);
        for (const part of walk.parts) {
          const { sequence, heads, blocks } = part;
          const { count, rows } = work.sequences[sequence] as TileWork["sequences"][number];
          const together = work.headTiles.reduce((a, b) => a + b, 0);
          expect(walk.queryHeads(part)).toBe(count * work.heads * together);
          const seen = seenBy(work, sequence);
          const each = Math.ceil(Math.ceil(rows / work.tileRows) / work.blockTiles);
          expect(blocks).toBe(each * (even ? 1 : work.headTiles.length));
          expect(heads).toBe(count * work.heads * (even ? work.headTiles.length : 1));
          for (let b = 0; b < blocks; b++) {
            const own = work.headTiles[even ? 0 : Math.floor(b / each)] as number;
            const visits = visitsOf(seen, (b % each) * work.blockTiles, work.blockTiles, own);
            tiles += heads * visits.length;
            visits.forEach(({ m1, head, p }, i) => {
              const next = visits.findIndex((v, k) => k > i && v.head === head && v.p === p && v.m1 > m1);
              if (next >= 0) least = Math.min(least, next - i);
            });
            const block = walk.block(sequence, b);
            expect(block === null).toBe(visits.length === 0);
            if (block === null) continue;
            expect(block).toMatchObject({ heads: own, sequence });
            // Asked for a key tile that nobody sees it gives the first after it.
            expect(walk.row(block, 0)?.m1).toBe(block.begin);
            expect(walk.row(block, block.end)).toBeNull();
            const found = rowsOf(walk, block);
            expect(found.flatMap(([m1, kinds]) => kinds.map(kind => [m1, withoutColumns(kind)]))).toEqual(
              visits.map(({ m1, kind }) => [m1, kind]),
            );
            // A last tile says how many queries it has.
            const columns = found.flatMap(([, kinds]) => kinds.map(kind => walk.columnsOf(kind)));
            visits.forEach(({ kind, p }, i) => {
              if ((kind & tileBits.last) === 0) return;
              expect(columns[i]).toBe(Math.min(work.tileRows, rows - p * work.tileRows));
            });
            for (let i = 1; i < walk.alikeBlocks(sequence, b); i++) {
              const other = walk.block(sequence, b + i);
              expect(other === null ? [] : rowsOf(walk, other)).toEqual(found);
            }
          }
        }
        expect(walk.tiles).toBe(tiles);
        expect(walk.leastBetween).toBe(least);
      }),
      { numRuns: 250 },
    );
  });

  it("law: a position goes through the tiles of all heads in order, and knows where it is", () => {
    fc.assert(
      fc.property(works, work => {
        const walk = new TileWalk(work);
        const even = walk.headIsBlockOfHeads;
        const together = work.headTiles.reduce((a, b) => a + b, 0);
        const position = new Position(walk);
        let before = 0;
        for (const part of walk.parts) {
          const { rows } = work.sequences[part.sequence] as TileWork["sequences"][number];
          const seen = seenBy(work, part.sequence);
          const each = Math.ceil(Math.ceil(rows / work.tileRows) / work.blockTiles);
          for (let h = 0; h < part.heads; h++) {
            let isBegun = false;
            for (let b = 0; b < part.blocks; b++) {
              const at = even ? 0 : Math.floor(b / each);
              const outer = even
                ? h * (work.headTiles[0] as number)
                : h * together + work.headTiles.slice(0, at).reduce((sum, heads) => sum + heads, 0);
              const heads = work.headTiles[at] as number;
              let lastRow = -1;
              for (const visit of visitsOf(seen, (b % each) * work.blockTiles, work.blockTiles, heads)) {
                const place = position.place();
                expect([position.opensBlock, position.opensRow]).toEqual([lastRow < 0, lastRow !== visit.m1]);
                if (position.opensBlock) expect(position.opensHead).toBe(!isBegun);
                [lastRow, isBegun] = [visit.m1, true];
                expect(place && { ...place, kind: withoutColumns(place.kind) }).toEqual({
                  ...visit,
                  head: before + outer + visit.head,
                });
                expect(place?.kind).toBe(position.kind());
                position.next();
              }
            }
          }
          before += walk.queryHeads(part);
        }
        expect(position.atEnd).toBe(true);
        expect(position.place()).toBeNull();
      }),
      { numRuns: 150 },
    );
  });

  it("law: are intervals in order where each is one, and their ends never fall", () => {
    const rows = fc.array(fc.subarray([0, 1, 2, 3, 4]), { maxLength: 4 });
    const intervals = fc.array(
      fc.tuple(fc.nat(3), fc.nat(3)).map(([from, n]) => [0, 1, 2, 3, 4, 5].slice(from, from + n)),
      {
        maxLength: 4,
      },
    );
    fc.assert(
      fc.property(fc.oneof(rows, intervals), keyTiles => {
        const seen = keyTiles.filter(own => own.length > 0);
        const isWhole = seen.every(own => own.every((m1, i) => m1 === (own[0] as number) + i));
        const rises = seen.every((own, i) => {
          const next = seen[i + 1] ?? own;
          return (
            next[0] !== undefined && next[0] >= (own[0] as number) && (next.at(-1) as number) >= (own.at(-1) as number)
          );
        });
        const places = keyTiles.flatMap((own, p) => (own.length > 0 ? [p] : []));
        const isTogether = places.every((p, i) => p === (places[0] as number) + i);
        expect(areIntervals(keyTiles)).toBe(isWhole && rises && isTogether);
      }),
      { numRuns: 300 },
    );
  });

  it("has partial tiles of keys at the end alone, and leaps over blocks where nothing is masked", () => {
    const lengths = { count: 1, rows: 40, keys: 13 };
    const work: TileWork = {
      ...{ sequences: [lengths], group: 1, window: { left: -1, right: -1 }, heads: 1, headTiles: [1] },
      ...{ blockTiles: 2, tileRows: 4, tileKeys: 5 },
    };
    const walk = new TileWalk(work);
    expect([0, 1, 2].map(m1 => walk.keysOf(0, m1))).toEqual([5, 5, 3]);
    // Ten query tiles are five blocks: four alike, and the last.
    expect([0, 1, 3, 4].map(b => walk.alikeBlocks(0, b))).toEqual([4, 3, 1, 1]);
    const alikeUnder = (left: number, right: number) =>
      new TileWalk({ ...work, window: { left, right } }).alikeBlocks(0, 0);
    expect(alikeUnder(-1, 0)).toBe(1);
    // The first query is 27 keys before the first key, the last at the last of 13: windows that hide nothing, or one score.
    expect([alikeUnder(12, 39), alikeUnder(11, 39), alikeUnder(12, 38)]).toEqual([4, 1, 1]);
  });

  it("has two tiles from one key tile of a query to the next, where two heads share keys of a causal mask", () => {
    const walk = new TileWalk({
      ...{ sequences: [{ count: 1, rows: 2, keys: 2 }], group: 1, window: { left: -1, right: 0 }, heads: 1 },
      ...{ headTiles: [2], blockTiles: 2, tileRows: 1, tileKeys: 1 },
    });
    // Key 0: queries 0 and 1 of the one head, then of the other. Key 1: query 1 of each; the other's is two tiles on.
    expect([walk.tiles, walk.leastBetween]).toEqual([6, 2]);
  });
});
