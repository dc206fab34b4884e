import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { groupOf, kvHeadOf, kvHeadPlace, unevenGroups } from "../../src/attention/heads.js";
import { hull, isEmpty, type KeyRange, noKeys } from "../../src/attention/key-range.js";
import { type AttentionMask, hidesNothing, maskOf, noMask } from "../../src/attention/mask.js";
import { allRows, headOf, kvHeadOfRow, placeOf, rowAt, rowsOfHead, rowsOfKvHead } from "../../src/attention/rows.js";
import { hidesAny, keyMaskOf, type SequenceClass } from "../../src/attention/sequences.js";
import type { AttentionShape } from "../../src/attention/shape.js";
import { queryTileOf } from "../../src/attention/tile.js";
import { rowsWithoutKeys, visibleScores } from "../../src/attention/visible.js";

const size = (max: number) => fc.integer({ min: 1, max });
const shapes: fc.Arbitrary<AttentionShape> = fc
  .record({ batch: size(3), kvHeads: size(3), group: size(3), queries: size(7), keys: size(9) })
  .map(({ group, ...rest }) => ({ ...rest, heads: rest.kvHeads * group, headDim: 1, valueDim: 1 }));

const masked = shapes.chain(shape => {
  const lens = (most: number) =>
    fc.option(fc.array(fc.integer({ min: 0, max: most }), { minLength: shape.batch, maxLength: shape.batch }), {
      nil: null,
    });
  const side = fc.integer({ min: -1, max: 10 });
  const mask: fc.Arbitrary<AttentionMask> = fc.record({
    left: side,
    right: side,
    kvLens: lens(shape.keys),
    qLens: lens(shape.queries),
  });
  return fc.record({ shape: fc.constant(shape), mask });
});

const runs = { numRuns: 2000 };

describe("row indices", () => {
  it("are (b * H + h) * P + p, and come apart again", () => {
    fc.assert(
      fc.property(shapes, shape => {
        let next = 0;
        for (let b = 0; b < shape.batch; b += 1) {
          for (let h = 0; h < shape.heads; h += 1) {
            for (let p = 0; p < shape.queries; p += 1) {
              const row = rowAt(shape, { b, h, p });
              expect(row).toBe(next);
              expect(placeOf(shape, row)).toEqual({ b, h, p });
              const head = headOf(shape, row);
              expect(head).toBe(b * shape.heads + h);
              expect(rowsOfHead(shape, head).start + p).toBe(row);
              // Head h of a batch reads key/value head floor(h / (H / Hkv)) of it.
              const kvHead = b * shape.kvHeads + Math.floor(h / (shape.heads / shape.kvHeads));
              expect(kvHeadOf(shape, head)).toBe(kvHead);
              expect(kvHeadOfRow(shape, row)).toBe(kvHead);
              expect(kvHeadPlace(shape, kvHead).b).toBe(b);
              expect(kvHeadPlace(shape, kvHead).firstHead).toBeLessThanOrEqual(h);
              const { start, end } = rowsOfKvHead(shape, kvHead);
              expect(start <= row && row < end).toBe(true);
              next += 1;
            }
          }
        }
        expect(allRows({ shape })).toEqual({ start: 0, end: next });
      }),
      { numRuns: 300 },
    );
  });

  it("number the query tiles of all heads through", () => {
    fc.assert(
      fc.property(shapes, size(4), (shape, p0) => {
        const tiles = Array.from({ length: allRows({ shape }).end }, (_, row) =>
          queryTileOf({ shape, tile: { m0: 1, p0 } }, row),
        );
        const perHead = Math.ceil(shape.queries / p0);
        expect(new Set(tiles).size).toBe(shape.batch * shape.heads * perHead);
        expect(tiles.at(-1)).toBe(shape.batch * shape.heads * perHead - 1);
      }),
      { numRuns: 300 },
    );
  });
});

describe("heads", () => {
  it("share keys in equal groups, or it is said what is wrong", () => {
    expect(groupOf({ heads: 8, kvHeads: 2 })).toBe(4);
    expect(unevenGroups({ heads: 8, kvHeads: 2 })).toBeNull();
    expect(unevenGroups({ heads: 8, kvHeads: 3 })).toMatchObject({
      got: "3",
      expected: "a divisor of the 8 query heads",
    });
  });
});

describe("a mask", () => {
  it("shows of each row the keys within its window and its batch's lengths", () => {
    fc.assert(
      fc.property(masked, problem => {
        const { shape, mask } = problem;
        const shown = maskOf(problem);
        let [scores, without] = [0, 0];
        for (let row = 0; row < allRows(problem).end; row += 1) {
          const { b, p } = placeOf(shape, row);
          const [queries, keys] = [mask.qLens?.[b] ?? shape.queries, mask.kvLens?.[b] ?? shape.keys];
          const i = p + keys - queries;
          const seen = Array.from({ length: shape.keys }, (_, m) => m).filter(
            m =>
              p < queries &&
              m < keys &&
              (mask.left < 0 || m >= i - mask.left) &&
              (mask.right < 0 || m <= i + mask.right),
          );
          const { from, to } = shown.span(row);
          expect(Array.from({ length: Math.max(0, to - from) }, (_, n) => from + n)).toEqual(seen);
          expect(Array.from({ length: shape.keys + 1 }, (_, m) => m).filter(m => shown.sees(row, m))).toEqual(seen);
          scores += seen.length;
          if (p < queries && seen.length === 0) without += 1;
        }
        expect(visibleScores(problem)).toBe(scores);
        expect(rowsWithoutKeys(problem)).toBe(without);
      }),
      runs,
    );
  });

  it("hides something exactly when a query of a whole batch does not see a key", () => {
    fc.assert(
      fc.property(masked, ({ shape, mask }) => {
        const all = keyMaskOf(shape, mask);
        if (all === null) {
          expect(visibleScores({ shape, mask })).toBe(0);
          return;
        }
        const count = (classes: readonly SequenceClass[], of: (s: SequenceClass) => number): number =>
          classes.reduce((sum, s) => sum + s.count * of(s), 0);
        expect(count(all.sequences, () => 1)).toBeLessThanOrEqual(shape.batch);
        if (all.sequences.length === 1) {
          const whole = count(all.sequences, s => s.queries * s.keys) * shape.heads;
          expect(hidesAny(all)).toBe(visibleScores({ shape, mask }) < whole);
        } else expect(hidesAny(all)).toBe(true);
      }),
      runs,
    );
  });

  it("of no window and no lengths hides nothing", () => {
    expect(hidesNothing(noMask)).toBe(true);
    for (const some of [{ left: 0 }, { right: 3 }, { kvLens: [1] }, { qLens: [1] }]) {
      expect(hidesNothing({ ...noMask, ...some })).toBe(false);
    }
  });
});

describe("key ranges", () => {
  it("make one range that holds both, and an empty one adds nothing", () => {
    const range = fc.record({ from: fc.integer({ min: 0, max: 9 }), to: fc.integer({ min: 0, max: 9 }) });
    const holds = ({ from, to }: KeyRange, m: number): boolean => from <= m && m < to;
    fc.assert(
      fc.property(range, range, (a, b) => {
        const both = hull(a, b);
        for (let m = 0; m < 10; m += 1) if (holds(a, m) || holds(b, m)) expect(holds(both, m)).toBe(true);
        if (isEmpty(a)) expect(both).toEqual(b.from < b.to ? b : a);
        else expect(both.from >= Math.min(a.from, isEmpty(b) ? a.from : b.from)).toBe(true);
        expect(hull(noKeys, a)).toEqual(isEmpty(a) ? noKeys : a);
      }),
    );
  });
});
