import fc from "fast-check";
import { expect, it } from "vitest";
import { rowBits, type SequenceClass } from "../../src/attention/sequences.js";
import { floorSum, touched, touchedUpTo } from "../../src/model/visible-region.js";

it("law: tiles of blocks of rows, all of them or at most so many a block, are those that the blocks' rows see", () => {
  const size = (max: number) => fc.integer({ min: 0, max });
  const cases = fc.record({
    group: fc.integer({ min: 1, max: 3 }),
    left: fc.oneof(fc.constant(-1), size(90)),
    right: fc.oneof(fc.constant(-1), fc.constant(0), size(90)),
    queries: size(70),
    keys: size(70),
    grain: fc.record({ rows: size(9), keys: fc.integer({ min: 1, max: 9 }) }),
    most: fc.integer({ min: 1, max: 12 }),
    // Bits in place of what windows leave: of every, of few, of no keys.
    sparse: fc.option(fc.constantFrom(1, 5, 200), { nil: undefined }),
  });
  fc.assert(
    fc.property(cases, ({ group, left, right, queries, keys, grain, most, sparse }) => {
      const shows = (row: number, m: number): boolean => ((row * 7919 + m * 104729) >>> 2) % (sparse ?? 1) === 0;
      const word = (row: number, w: number): number =>
        Array.from({ length: 32 }, (_, bit) => (shows(row, 32 * w + bit) ? 2 ** bit : 0)).reduce((a, b) => a + b, 0);
      const windowed = (row: number, w: number): number => {
        let own = 0;
        for (let bit = 0; bit < 32; bit++) if (isSeen(row, 32 * w + bit)) own += 2 ** bit;
        return own;
      };
      const isSeen = (row: number, m: number): boolean => {
        const i = Math.floor(row / group) + keys - queries;
        return m < keys && (left < 0 || m >= i - left) && (right < 0 || m <= i + right);
      };
      const bits = rowBits((row, w) => (word(row, w) & windowed(row, w)) >>> 0);
      const sequence = { count: 1, queries, keys, ...(sparse === undefined ? {} : { bits }) };
      const region = { group, left, right, sequences: [sequence] };
      // A grain of no rows is one block of all.
      const rows = grain.rows === 0 ? Math.max(1, queries * group) : grain.rows;
      const tiles: Set<number>[] = [];
      for (let row = 0; row < queries * group; row++) {
        const block = Math.floor(row / rows);
        const own = tiles[block] ?? new Set();
        tiles[block] = own;
        for (let m = 0; m < keys; m++) if (isSeen(row, m) && shows(row, m)) own.add(Math.floor(m / grain.keys));
      }
      const sum = (limit: number): number => tiles.reduce((total, own) => total + Math.min(limit, own.size), 0);
      expect(touched(region, sequence, grain)).toBe(sum(Number.POSITIVE_INFINITY));
      // What rows of bits see may have holes, where tiles so far apart are one: as in the array.
      const places = tiles.reduce((total, own) => total + new Set([...own].map(tile => tile % most)).size, 0);
      expect(touchedUpTo(region, sequence, grain, most)).toBe(places);
      if (sparse === undefined) expect(places).toBe(sum(most));
      expect(touched(region, sequence, { ...grain, keys: 0 })).toBe(tiles.filter(own => own.size > 0).length);
    }),
    { numRuns: 300 },
  );
});

it.each([
  ["a band", 2, 1],
  ["a wide band", 9, 4],
  ["causal rows", -1, 0],
  ["a window to the left", 5, 0],
])("law: at most so many tiles of a block are counted all along %s", (_, left, right) => {
  const [queries, keys] = [30, 36];
  for (const group of [1, 2]) {
    const region = { group, left, right, sequences: [{ count: 1, queries, keys }] };
    const seen = Array.from({ length: queries * group }, (_, row) => {
      const i = Math.floor(row / group) + keys - queries;
      return [left < 0 ? 0 : Math.max(0, i - left), Math.min(keys, i + right + 1)] as const;
    });
    for (const rows of [1, 2, 3, 5])
      for (const step of [1, 2, 3, 4, 7])
        for (const most of [1, 2, 3]) {
          let sum = 0;
          for (let first = 0; first < seen.length; first += rows) {
            const block = seen.slice(first, first + rows);
            const [from, to] = [block[0]?.[0] ?? 0, block.at(-1)?.[1] ?? 0];
            sum += Math.min(most, Math.ceil(to / step) - Math.floor(from / step));
          }
          const grain = { rows, keys: step };
          expect(
            touchedUpTo(region, region.sequences[0] as SequenceClass, grain, most),
            `${rows} ${step} ${most}`,
          ).toBe(sum);
        }
  }
});

it("a sum of floors is that sum", () => {
  const small = fc.integer({ min: 0, max: 40 });
  fc.assert(
    fc.property(small, small, small, fc.integer({ min: 1, max: 40 }), (n, a, b, m) => {
      let sum = 0;
      for (let i = 0; i < n; i++) sum += Math.floor((a * i + b) / m);
      expect(floorSum(n, a, b, m)).toBe(sum);
    }),
  );
});
