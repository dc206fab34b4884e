import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { rowBits, type SequenceClass } from "../../src/attention/sequences.js";
import { coupledCount, coupleRanks, isClosed, touchedCount } from "../../src/model/coupled-counts.js";
import { nestShape } from "../../src/model/nest.js";
import { countRank, rankCount } from "../../src/model/partition.js";
import type { VisibleRegion } from "../../src/model/region.js";
import { withinTouched } from "../../src/model/visible-region.js";

const bound = fc.integer({ min: 1, max: 5 });
const windows: fc.Arbitrary<VisibleRegion> = fc.record({
  group: fc.integer({ min: 1, max: 3 }),
  left: fc.integer({ min: -1, max: 12 }),
  right: fc.oneof(fc.constant(0), fc.integer({ min: -1, max: 12 })),
  sequences: fc.array(
    fc.record({
      count: fc.integer({ min: 1, max: 2 }),
      queries: fc.integer({ min: 0, max: 14 }),
      keys: fc.integer({ min: 0, max: 20 }),
    }),
    { minLength: 1, maxLength: 3 },
  ),
});

/** Patterns beside a window: another corner, a prefix, documents, padding in front, and any bits. */
const patterns: fc.Arbitrary<VisibleRegion> = windows.chain(region => {
  const some = <T>(values: fc.Arbitrary<T>) => fc.option(values, { nil: undefined, freq: 2 });
  return fc
    .record({
      origin: some(fc.integer({ min: -3, max: 6 })),
      prefix: some(fc.integer({ min: 0, max: 20 })),
      documents: some(fc.constantFrom([3, 9, 20], [20], [1, 2, 15])),
      pads: fc.array(fc.integer({ min: 0, max: 6 }), { minLength: 3, maxLength: 3 }),
      seeds: some(fc.array(fc.integer({ min: 1, max: 99 }), { minLength: 3, maxLength: 3 })),
    })
    .map(({ origin, prefix, documents, pads, seeds }) => {
      // Documents are of as many queries as keys.
      const packed = documents !== undefined;
      const one: VisibleRegion = {
        ...region,
        ...(origin === undefined || packed ? {} : { origin }),
        ...(prefix === undefined ? {} : { prefix }),
        ...(packed ? { documents } : {}),
        sequences: region.sequences.map((sequence, i) => ({
          ...sequence,
          ...(packed ? { queries: sequence.keys } : {}),
          leftPad: pads[i] ?? 0,
        })),
      };
      const sequences = one.sequences.map((sequence, i) => {
        const seed = seeds?.[i];
        if (seed === undefined) return sequence;
        const sees = (row: number, m: number): boolean =>
          (row * 7919 + m * 104729 + seed * 31) % 5 < 2 && exists(one, sequence, row, m);
        const word = (row: number, w: number): number =>
          Array.from({ length: 32 }, (_, bit) => (sees(row, 32 * w + bit) ? 2 ** bit : 0)).reduce((a, b) => a + b, 0);
        return { ...sequence, bits: rowBits(word) };
      });
      return { ...one, sequences };
    });
});
const regions = fc.oneof(windows, { arbitrary: patterns, weight: 2 });

/** Whether a score exists, by the rules themselves, bits left out. */
function exists(region: VisibleRegion, sequence: SequenceClass, row: number, m: number): boolean {
  const { group, left, right, origin, prefix, documents } = region;
  const { queries, keys, leftPad = 0 } = sequence;
  const p = Math.floor(row / group);
  const i = p + (origin ?? keys - queries);
  // Past the last document is none.
  const document = (x: number): number => documents?.findIndex(end => x < end) ?? 0;
  return (
    m >= leftPad &&
    m < keys &&
    (left < 0 || m >= i - left) &&
    (right < 0 || m <= i + right) &&
    (prefix === undefined || m < prefix || m <= i) &&
    document(p) === document(m) &&
    document(p) >= 0
  );
}

/** Every existing score as (batch, row, key). */
function* scores(region: VisibleRegion) {
  let b = 0;
  for (const sequence of region.sequences) {
    const { count, queries, keys, bits } = sequence;
    for (let n = 0; n < count; n++, b++) {
      for (let row = 0; row < queries * region.group; row++) {
        for (let m = 0; m < keys; m++) {
          const shown = bits === undefined || ((bits.word(row, m >>> 5, region.group) >>> (m & 31)) & 1) === 1;
          if (shown && exists(region, sequence, row, m)) yield { b, row, m };
        }
      }
    }
  }
}

function indices(coordinate: number, inner: readonly number[]): readonly number[] {
  const found: number[] = [];
  let left = coordinate;
  for (let part = inner.length - 1; part > 0; part--) {
    const bound = inner[part] as number;
    found.unshift(left % bound);
    left = Math.floor(left / bound);
  }
  return [left, ...found];
}

/** A nest whose rows are cut in three and keys in two: bits 0 batch, 1 to 3 rows, 4 and 5 keys. */
function nest(region: VisibleRegion, rowBounds: readonly [number, number], keyBound: number) {
  const rows = Math.max(1, ...region.sequences.map(s => s.queries * region.group));
  const keys = Math.max(1, ...region.sequences.map(s => s.keys));
  const bounds = [
    Float64Array.of(region.sequences.reduce((sum, s) => sum + s.count, 0)),
    Float64Array.of(Math.ceil(rows / (rowBounds[0] * rowBounds[1])), ...rowBounds),
    Float64Array.of(Math.ceil(keys / keyBound), keyBound),
  ];
  const boxes = [bounds[0]?.[0] as number, rows, keys].map((size, r) => {
    const rank = rankCount(bounds[r]?.length ?? 0, 0);
    rank.bounds.set(bounds[r] as Float64Array);
    countRank(rank, size);
    return rank.table;
  });
  const ranks = [
    { shift: 0, parts: 1 },
    { shift: 1, parts: 3 },
    { shift: 4, parts: 2 },
  ];
  const shape = nestShape({ levels: [], loops: [], tensors: [], ranks });
  const coupled = coupleRanks(shape, ["batch", "queries", "keys"]);
  if (coupled === undefined) throw new Error("nothing coupled");
  const [ofRows, ofKeys] = [[...(bounds[1] as Float64Array)], [...(bounds[2] as Float64Array)]];
  const placeOf = (b: number, row: number, m: number): readonly number[] => [
    ...[b, ...indices(row, ofRows), ...indices(m, ofKeys)],
  ];
  /** A number for the indices of a subset of the loops, each of which is below 64. */
  const codeOf = (place: readonly number[], subset: number): number =>
    place.reduce((code, index, bit) => ((subset & (1 << bit)) === 0 ? code : 64 * code + index), 0);
  const places = Array.from(scores(region), ({ b, row, m }) => placeOf(b, row, m));
  const enumerated = (subset: number): number => new Set(places.map(place => codeOf(place, subset))).size;
  return {
    counted: (subset: number) => coupledCount(coupled, region, boxes, bounds, subset),
    closed: (subset: number) => isClosed(coupled, region, subset),
    touched: (temporal: number, subset: number) => touchedCount(coupled, region, boxes, bounds, temporal, subset),
    enumerated,
    /** The tuples of `subset` over all of the tiles of `temporal` that hold a score, whether or not a mask hides it. */
    enumeratedIn(temporal: number, subset: number): number {
      const tiles = new Set(places.map(place => codeOf(place, temporal)));
      const seen = new Set<number>();
      const sequences = region.sequences.flatMap(sequence => Array.from({ length: sequence.count }, () => sequence));
      sequences.forEach(({ queries, keys }, b) => {
        for (let row = 0; row < queries * region.group; row++) {
          for (let m = 0; m < keys; m++) {
            const place = placeOf(b, row, m);
            if (tiles.has(codeOf(place, temporal))) seen.add(codeOf(place, subset));
          }
        }
      });
      return seen.size;
    },
  };
}

describe("ranks that a mask couples", () => {
  const shape = nestShape({
    levels: [],
    loops: [],
    tensors: [],
    ranks: [
      { shift: 0, parts: 1 },
      { shift: 1, parts: 3 },
      { shift: 4, parts: 2 },
      { shift: 6, parts: 4 },
    ],
  });

  it("are one rank of a nest, with the bits of all, before those without a role", () => {
    const all = coupleRanks(shape, ["batch", "queries", "keys", undefined]);
    expect(all?.shape.ranks).toEqual([
      { shift: 0, parts: 6 },
      { shift: 6, parts: 4 },
    ]);
    expect(all).toMatchObject({
      batch: { rank: 0, shift: 0, parts: 1 },
      rows: { rank: 1, shift: 1, parts: 3 },
      keys: { rank: 2, shift: 4, parts: 2 },
    });
    const alone = coupleRanks(shape, ["queries", undefined, undefined, undefined]);
    expect(alone?.shape.ranks).toEqual([{ shift: 0, parts: 1 }, ...shape.ranks.slice(1)]);
    expect([alone?.batch, alone?.rows?.rank, alone?.keys]).toEqual([undefined, 0, undefined]);
    expect(coupleRanks(shape, ["batch", "keys", undefined, undefined])?.keys?.rank).toBe(1);
    expect(coupleRanks(shape, ["batch", undefined, undefined, undefined])).toBeUndefined();
  });

  it.each(["queries", "keys"] as const)("alone count %s that some score is of", role => {
    const region = { group: 1, left: 0, right: 0, sequences: [{ count: 1, queries: 3, keys: 5 }] };
    const nest = nestShape({ levels: [], loops: [], tensors: [], ranks: [{ shift: 0, parts: 1 }] });
    const coupled = coupleRanks(nest, [role]);
    const size = role === "queries" ? 3 : 5;
    const counted = coupled && coupledCount(coupled, region, [Float64Array.of(1, size)], [Float64Array.of(size)], 1);
    // Queries 0, 1, 2 see the keys 2, 3, 4 alone.
    expect(counted).toBe(3);
    expect(coupled && touchedCount(coupled, region, [Float64Array.of(1, size)], [Float64Array.of(size)], 1, 1)).toBe(3);
    // Of two sequences that nothing tells apart no closed form is known; they reach no more than both together.
    const two = { ...region, sequences: [...region.sequences, { count: 2, queries: 2, keys: 2 }] };
    const of = [[Float64Array.of(1, size)], [Float64Array.of(size)]] as const;
    expect(coupled && touchedCount(coupled, two, ...of, 1, 1)).toBeUndefined();
    expect(coupled && coupledCount(coupled, two, ...of, 1)).toBe(3 + 2);
    expect(coupled && isClosed(coupled, two, 1)).toBe(false);
  });
});

describe("loops over a masked region", () => {
  it("turn as often as there are distinct index tuples of existing scores", () => {
    fc.assert(
      fc.property(regions, fc.tuple(bound, bound), bound, (region, rowBounds, keyBound) => {
        const { counted, enumerated } = nest(region, rowBounds, keyBound);
        for (const rows of [0b000, 0b001, 0b011, 0b111]) {
          for (const keys of [0b00, 0b01, 0b10, 0b11]) {
            const subset = 1 | (rows << 1) | (keys << 4);
            if (rows === 0 && keys === 0) continue;
            expect(counted(subset), `rows ${rows}, keys ${keys}`).toBe(enumerated(subset));
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  it("are bounded from above for every other subset", () => {
    fc.assert(
      fc.property(regions, fc.tuple(bound, bound), bound, (region, rowBounds, keyBound) => {
        const { counted, enumerated } = nest(region, rowBounds, keyBound);
        for (let subset = 0b10; subset < 64; subset += 2) {
          const withBatch = subset | 1;
          // Sequences that are not told apart: no fewer than any of them reaches, no more than all do apart.
          expect(counted(subset), `subset ${subset}`).toBeGreaterThanOrEqual(enumerated(subset));
          expect(counted(subset)).toBeLessThanOrEqual(counted(withBatch));
          expect(counted(withBatch), `subset ${withBatch}`).toBeGreaterThanOrEqual(enumerated(withBatch));
          // No more than with the loops of rows outside, nor than as many keys for each place of a row.
          const [rows, others] = [withBatch & 0b001110, withBatch & 0b110001];
          const outside = rows === 0 ? 0 : 2 ** (32 - Math.clz32(rows)) - 2;
          expect(counted(withBatch)).toBeLessThanOrEqual(counted(others | outside));
        }
      }),
    );
  });

  it("are counted for every subset where no key is hidden and all sequences are alike", () => {
    const sizes = fc.record({
      count: bound,
      queries: fc.integer({ min: 1, max: 9 }),
      keys: fc.integer({ min: 1, max: 9 }),
    });
    fc.assert(
      fc.property(sizes, fc.tuple(bound, bound), bound, bound, (sequence, rowBounds, keyBound, group) => {
        const { counted, enumerated } = nest(
          { group, left: -1, right: -1, sequences: [sequence] },
          rowBounds,
          keyBound,
        );
        for (let subset = 0; subset < 64; subset++)
          if ((subset & 0b111110) !== 0) expect(counted(subset), `subset ${subset}`).toBe(enumerated(subset));
      }),
    );
  });

  const loops = fc.tuple(
    fc.constantFrom(0b000, 0b001, 0b011, 0b111),
    fc.constantFrom(0b00, 0b01, 0b11),
    fc.constantFrom(0, 0b001110, 0b110000, 0b111110),
  );
  it("meet within tiles of their outermost loops every row and key that exists there, and say where they cannot count", () => {
    fc.assert(
      fc.property(regions, fc.tuple(bound, bound), bound, loops, (region, rowBounds, keyBound, [rows, keys, more]) => {
        const { touched, enumeratedIn, closed } = nest(region, rowBounds, keyBound);
        const temporal = 1 | (rows << 1) | (keys << 4);
        const subset = temporal | more;
        if (subset !== 1) expect(touched(temporal, subset)).toBe(enumeratedIn(temporal, subset));
        // Loops that do not tell sequences apart.
        expect(touched(temporal & ~1, subset)).toBeUndefined();
        expect(closed(temporal)).toBe(true);
        expect(closed(temporal & ~1)).toBe(region.sequences.length === 1);
        // Inner loops of rows without the outer ones; some of the loops in space; keys that are no neighbours are none here.
        for (const temporal of [0b000101, 0b001001, 0b100001]) expect(touched(temporal, temporal)).toBeUndefined();
        expect(touched(0b000011, 0b000111)).toBeUndefined();
        for (const inner of [0b000101, 0b001001, 0b001011]) expect(closed(inner)).toBe(false);
      }),
      { numRuns: 150 },
    );
  });

  it("meet within touched tiles every row and key that exists there", () => {
    fc.assert(
      fc.property(regions, bound, bound, (region, rows, keys) => {
        for (const sequence of region.sequences) {
          // Tiles of so many keys, or blocks of rows alone.
          for (const step of [keys, 0]) {
            const nameOf = (row: number, m: number): number =>
              64 * Math.floor(row / rows) + (step === 0 ? 0 : Math.floor(m / step));
            const tiles = new Set<number>();
            for (const { row, m } of scores({ ...region, sequences: [{ ...sequence, count: 1 }] }))
              tiles.add(nameOf(row, m));
            for (const [ofRows, ofKeys] of [
              [true, true],
              [true, false],
              [false, true],
              [false, false],
            ] as const) {
              const held = new Set<number>();
              for (let row = 0; row < sequence.queries * region.group; row++) {
                for (let m = 0; m < sequence.keys; m++) {
                  const tile = nameOf(row, m);
                  if (tiles.has(tile))
                    held.add(4096 * tile + (ofRows ? 64 * (row % rows) : 0) + (ofKeys && step > 0 ? m % step : 0));
                }
              }
              const counted = withinTouched(region, sequence, { rows, keys: step }, { rows: ofRows, keys: ofKeys });
              expect(counted, `${step} ${ofRows} ${ofKeys}`).toBe(held.size);
            }
          }
        }
      }),
      { numRuns: 300 },
    );
  });
});
