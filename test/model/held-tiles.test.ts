import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type Held,
  type Interval,
  intervalsOf,
  joined,
  lengthOf,
  moved,
  repeated,
  type Stretch,
  union,
} from "../../src/model/held-tiles.js";

const wordsOf = (intervals: readonly Interval[]): readonly number[] =>
  intervals.flatMap(([from, to]) => Array.from({ length: to - from }, (_, i) => from + i));
const interval = fc.tuple(fc.nat(20), fc.integer({ min: 1, max: 6 })).map(([from, n]): Interval => [from, from + n]);
const intervals = fc.array(interval, { minLength: 1, maxLength: 4 }).map(own => union(own, []));

describe("intervals", () => {
  it("law: of two lists together are the words of either, once, apart and in order", () => {
    fc.assert(
      fc.property(fc.array(interval, { maxLength: 4 }), fc.array(interval, { maxLength: 4 }), (a, b) => {
        const both = union(a, b);
        expect(wordsOf(both)).toEqual([...new Set([...wordsOf(a), ...wordsOf(b)])].sort((x, y) => x - y));
        expect(lengthOf(both)).toBe(wordsOf(both).length);
        both.slice(1).forEach(([from], i) => {
          expect(from).toBeGreaterThan((both[i] as Interval)[1]);
        });
      }),
    );
  });

  it("law: of bits are the runs of those that are set, from one place to another", () => {
    const dense = fc.constantFrom(0, -1, -2, 1, 0x80000000, 0x7fffffff, 0x80000001);
    const words = fc.array(fc.oneof(dense, fc.integer()), { minLength: 4, maxLength: 4 });
    fc.assert(
      fc.property(words, fc.nat(1), fc.nat(96), fc.nat(96), (own, at, from, to) => {
        const bits = Uint32Array.from(own);
        const set = (m: number): boolean => (((bits[at + (m >>> 5)] as number) >>> (m & 31)) & 1) === 1;
        const wanted = Array.from({ length: Math.max(0, to - from) }, (_, i) => from + i).filter(set);
        const found = intervalsOf(bits, at, from, to);
        expect(wordsOf(found)).toEqual(wanted);
        expect(found).toEqual(union(found, []));
      }),
      { numRuns: 300 },
    );
  });
});

describe("stretches of visits", () => {
  /** One visit: a tile, and what is wanted of it. */
  const visit = fc.record({ tile: fc.nat(2), words: intervals, dense: fc.constant(2) });
  const one = (held: Held): Stretch => ({
    words: lengthOf(held.words) * held.dense,
    first: held,
    last: held,
    single: true,
  });
  /** What a memory fetches that holds what it had of a tile until another one comes. */
  function fetched(visits: readonly Held[]): number {
    let words = 0;
    let tile: number | undefined;
    let has = new Set<number>();
    for (const { tile: next, words: wanted, dense } of visits) {
      if (next !== tile) has = new Set();
      for (const word of wordsOf(wanted)) {
        if (!has.has(word)) words += dense;
        has.add(word);
      }
      tile = next;
    }
    return words;
  }
  const stretchOf = (visits: readonly Held[]): Stretch | undefined =>
    visits.reduce<Stretch | undefined>((all, own) => joined(all, one(own)), undefined);
  const by = (visits: readonly Held[], tiles: number): readonly Held[] =>
    visits.map(own => ({ ...own, tile: own.tile + tiles }));
  const visits = fc.array(visit, { minLength: 1, maxLength: 4 });

  it("law: one after the other fetch what a memory does that holds a tile while it stays", () => {
    fc.assert(
      fc.property(visits, visits, fc.nat(2), (a, b, tiles) => {
        const [before, after] = [stretchOf(a), stretchOf(b)];
        const all = [...a, ...by(b, tiles)];
        const both = joined(before, moved(after, tiles));
        expect(both?.words).toBe(fetched(all));
        expect(both?.single).toBe(all.every(({ tile }) => tile === all[0]?.tile));
        // What comes before and after sees the first and the last run as they are.
        for (const other of [0, 1, 2]) {
          const own: Held = { tile: other, words: [[0, 26]], dense: 2 };
          expect(joined(one(own), both)?.words).toBe(fetched([own, ...all]));
          expect(joined(both, one(own))?.words).toBe(fetched([...all, own]));
        }
      }),
      { numRuns: 300 },
    );
    const alone = one({ tile: 1, words: [[0, 3]], dense: 2 });
    expect(joined(undefined, alone)).toBe(alone);
    expect(joined(alone, undefined)).toBe(alone);
    expect(moved(undefined, 3)).toBeUndefined();
  });

  it("law: repeated, so many tiles on each time, are as if they were joined", () => {
    fc.assert(
      fc.property(visits, fc.integer({ min: 1, max: 4 }), fc.nat(3), (a, times, stride) => {
        const own = stretchOf(a);
        const all = Array.from({ length: times }, (_, i) => by(a, i * stride)).flat();
        const found = repeated(own, times, stride);
        expect(found?.words).toBe(fetched(all));
        expect(found?.last.tile).toBe(all.at(-1)?.tile);
        expect(found?.single).toBe(all.every(({ tile }) => tile === all[0]?.tile));
      }),
      { numRuns: 300 },
    );
    expect(repeated(undefined, 3, 1)).toBeUndefined();
  });
});
