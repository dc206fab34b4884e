import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { OptionLibrary } from "../../../src/model/mapper/option.js";
import { promisingOf } from "../../../src/model/mapper/promising.js";
import type { RankCut } from "../../../src/model/mapper/tiling.js";
import { suits } from "../../../src/model/mapper/tiling.js";
import { tilingsOf } from "../../../src/model/mapper/tiling-space.js";
import { type Machine, machines, problemOf, type Shape } from "../small-machine.js";

const machine: Machine = { columns: 4, rows: 4, lanes: 4, bufferBytes: 64, bytesPerSecond: 1e9 };
const shapes: fc.Arbitrary<Shape> = fc.record({
  E: fc.integer({ min: 1, max: 3 }),
  F: fc.constant(1),
  M: fc.integer({ min: 1, max: 9 }),
  queries: fc.integer({ min: 1, max: 4 }),
});
const text = ({ tile, middle, outer }: RankCut): string => `${tile.join("x")} ${middle} ${outer}`;
const sorted = (order: readonly number[]): readonly number[] => [...order].sort((a, b) => a - b);

describe("the tilings of a block", () => {
  it("law: have numbers of their own, every cut with every order of the loops that iterate", () => {
    fc.assert(
      fc.property(machines, shapes, (own, shape) => {
        const problem = problemOf(own, "product", shape);
        const space = tilingsOf(problem, 0, 1);
        const seen = new Set<string>();
        const numbers: number[] = [];
        let cuts = 0;
        for (const { number, digits, cut } of space.eachCut()) {
          cuts++;
          expect(space.digits(number)).toEqual(digits);
          expect(space.cut(digits)).toEqual(cut);
          const orders = space.orders(cut);
          for (const [part, list] of [
            ["outer", orders.outer],
            ["middle", orders.inner],
          ] as const) {
            const iterating = cut.filter(own => own[part] > 1).length;
            expect(new Set(list.map(order => order.join())).size).toBe([1, 1, 2, 6][iterating]);
            for (const order of list) {
              // All ranks of the Einsum, those that iterate first.
              expect(sorted(order)).toEqual(sorted(problem.einsums[0]?.ranks.map(({ rank }) => rank) ?? []));
              expect(order.slice(0, iterating).every(r => (cut[r]?.[part] ?? 1) > 1)).toBe(true);
            }
          }
          orders.outer.forEach((outer, o) => {
            const first = space.first(number, o, orders);
            orders.inner.forEach((inner, i) => {
              const tiling = space.at(first + i);
              expect(tiling).toMatchObject({ cut, order: { outer, inner } });
              seen.add(JSON.stringify([tiling.cut.map(text), tiling.order.outer, tiling.order.inner]));
              numbers.push(first + i);
            });
          });
          cut.forEach(({ tile, inner, middle, outer }, r) => {
            const { size } = problem.ranks[r] as (typeof problem.ranks)[number];
            expect(tile.reduce((a, b) => a * b, 1)).toBe(inner);
            expect(tile.length).toBe(problem.tileParts);
            // Blocks cover the rank, and none is without an element of it.
            expect(outer * middle * inner).toBeGreaterThanOrEqual(size);
            expect((outer - 1) * middle * inner).toBeLessThan(size);
          });
        }
        expect(cuts).toBe(space.cuts);
        expect(numbers).toEqual([...space.numbers()]);
        expect([numbers.length, seen.size]).toEqual([space.count, space.count]);
        expect(space.ruledOut).toBe(0);
      }),
      { numRuns: 12 },
    );
  });

  const cutsOf = (own: Machine, shape: Shape) =>
    tilingsOf(problemOf(own, "product", shape), 0, 1).choices.map(cuts => cuts.map(text).join(", "));
  const shape = { E: 1, F: 1, M: 13, queries: 4 };

  it("have blocks of a power of two tiles or three times that, and smaller tiles in one block", () => {
    expect(cutsOf(machine, shape)).toEqual([
      "1 1 1",
      "4 1 1, 2 1 2, 3 1 2, 1 1 4",
      "4 1 4, 4 2 2, 4 3 2, 4 4 1, 2 1 7, 3 1 5, 1 1 13",
    ]);
  });

  it("have tiles of two parts where fan-outs are of several sizes, of which one fills each", () => {
    expect(cutsOf({ ...machine, rows: 2, lanes: 1 }, shape)).toEqual([
      "1x1 1 1",
      "1x4 1 1, 1x2 1 2, 1x1 1 4, 1x3 1 2, 2x2 1 1",
      "1x4 1 4, 1x4 2 2, 1x4 3 2, 1x4 4 1, 1x2 1 7, 1x1 1 13, 1x3 1 5, 1x2 4 2, 4x2 1 2, 2x2 1 4, 2x2 4 1",
    ]);
  });

  it("law: are for places with room for them, none of which stays empty for a part that would fit", () => {
    fc.assert(
      fc.property(machines, shapes, (own, shape) => {
        const problem = problemOf(own, "product", shape);
        const library = new OptionLibrary(problem);
        const space = tilingsOf(problem, 0, 1);
        for (const { cut } of space.eachCut()) {
          const suited = library.suitedTo(0, { cut });
          library.placesOf(0).forEach((place, p) => {
            const sizes = place.over.map(laid =>
              (laid?.parts ?? []).reduce((n, part) => n * (cut[laid?.rank ?? 0]?.tile[part] ?? 1), 1),
            );
            const fits = place.array.fanouts.every(({ size }, i) => (sizes[i] as number) <= size);
            expect(suits({ cut }, place)).toBe(suited.includes(p));
            if (suited.includes(p)) expect(fits).toBe(true);
            // With tiles of one part that is all.
            if (problem.tileParts === 1 && place.over.every(laid => laid !== undefined))
              expect(suited.includes(p)).toBe(fits);
          });
        }
      }),
      { numRuns: 8 },
    );
  });

  it("law: those that look best are some of them, as many as asked for, each once", () => {
    fc.assert(
      fc.property(machines, shapes, fc.integer({ min: 1, max: 30 }), (own, shape, most) => {
        const problem = problemOf(own, "chain", shape);
        const space = tilingsOf(problem, 0, 3);
        const all = new Set(space.numbers());
        const chosen = promisingOf(problem, new OptionLibrary(problem), { from: 0, to: 3 }, space, most);
        expect(chosen.length).toBe(Math.min(most, space.count));
        expect(new Set(chosen).size).toBe(chosen.length);
        expect(chosen.every(number => all.has(number))).toBe(true);
        // Those of a shorter list come first in a longer one, but for ties.
        const fewer = promisingOf(
          problem,
          new OptionLibrary(problem),
          { from: 0, to: 3 },
          space,
          Math.max(1, most - 1),
        );
        expect(most < space.count ? fewer.filter(number => chosen.includes(number)).length : fewer.length).toBe(
          fewer.length,
        );
      }),
      { numRuns: 8 },
    );
  });
});
