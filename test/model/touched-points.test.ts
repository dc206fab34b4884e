import fc from "fast-check";
import { expect, it } from "vitest";
import { keysOfRow, type SequenceClass } from "../../src/attention/sequences.js";
import { countRank, rankCount } from "../../src/model/partition.js";
import { numberingOf } from "../../src/model/tile-numbering.js";
import { pointsTouched, type Sides } from "../../src/model/touched-points.js";

const sequence = fc.record({ queries: fc.integer({ min: 1, max: 6 }), keys: fc.integer({ min: 1, max: 9 }) });

/** A rank of three parts, and which of them number tiles and points. */
const side = fc.record({
  inner: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
  tile: fc.integer({ min: 0, max: 7 }),
  point: fc.integer({ min: 0, max: 7 }),
});

it("law: points in touched tiles are those that a look at every row and key finds", () => {
  fc.assert(
    fc.property(
      fc.array(sequence, { minLength: 1, maxLength: 3 }),
      fc.tuple(side, side, side),
      fc.integer({ min: 1, max: 2 }),
      fc.record({
        left: fc.integer({ min: -1, max: 3 }),
        right: fc.integer({ min: -1, max: 2 }),
        origin: fc.option(fc.integer({ min: -2, max: 6 }), { nil: undefined }),
      }),
      (lengths, sides, group, { origin, ...ends }) => {
        const window = origin === undefined ? ends : { ...ends, origin };
        const sequences: readonly SequenceClass[] = lengths.map(own => ({ ...own, count: 1 }));
        const region = { ...window, sequences, group };
        const sizes = [
          sequences.length,
          Math.max(...sequences.map(({ queries }) => queries * group)),
          Math.max(...sequences.map(({ keys }) => keys)),
        ];
        const numbered = (which: "tile" | "point"): Sides => {
          const inner = sides.map((own, i) => {
            const rank = rankCount(3, 0);
            const size = sizes[i] as number;
            rank.bounds.set([Math.ceil(size / (own.inner[0] * own.inner[1])), ...own.inner]);
            countRank(rank, size);
            return numberingOf(rank, ["inside", "inside", "inside"], own[which]);
          });
          return inner as unknown as Sides;
        };
        const [tile, point] = [numbered("tile"), numbered("point")];
        const name = (of: Sides, ...at: readonly number[]): string => of.map((own, i) => own.number(at[i] ?? 0)).join();
        const touched = new Set<string>();
        sequences.forEach((own, b) => {
          for (let row = 0; row < own.queries * group; row++) {
            for (const { from, to } of keysOfRow(region, own, row, group)) {
              for (let key = from; key < to; key++) touched.add(name(tile, b, row, key));
            }
          }
        });
        const points = new Set<string>();
        sequences.forEach((own, b) => {
          for (let row = 0; row < own.queries * group; row++) {
            for (let key = 0; key < own.keys; key++) {
              const at = name(tile, b, row, key);
              if (touched.has(at)) points.add(`${at} ${name(point, b, row, key)}`);
            }
          }
        });
        expect(pointsTouched(region, sequences, tile, point)).toBe(points.size);
      },
    ),
    { numRuns: 300 },
  );
});
