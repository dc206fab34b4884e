import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { countRank, rankCount } from "../../src/model/partition.js";

/** The index of each part's loop at a coordinate. */
function indicesOf(coordinate: number, bounds: readonly number[]): readonly number[] {
  let rest = coordinate;
  return bounds.map((_, part) => {
    const chunk = bounds.slice(part + 1).reduce((product, bound) => product * bound, 1);
    const index = Math.floor(rest / chunk);
    rest %= chunk;
    return index;
  });
}

/** The distinct tuples of indices that the chosen parts' loops take, by running the loops. */
function enumerate(size: number, bounds: readonly number[], subset: number): number {
  const seen = new Set<string>();
  for (let coordinate = 0; coordinate < size; coordinate++) {
    const indices = indicesOf(coordinate, bounds);
    seen.add(indices.filter((_, part) => (subset & (1 << part)) !== 0).join());
  }
  return seen.size;
}

describe("parts of a rank", () => {
  it("count the distinct index tuples of every subset of their loops, partial chunks included", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 200 }),
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 0, maxLength: 2 }),
        (size, inner) => {
          const covered = inner.reduce((product, bound) => product * bound, 1);
          const bounds = [Math.ceil(size / covered), ...inner];
          const rank = rankCount(bounds.length, 0);
          rank.bounds.set(bounds);
          countRank(rank, size);
          for (let subset = 0; subset < rank.table.length; subset++) {
            expect(rank.table[subset], `subset ${subset}`).toBe(enumerate(size, bounds, subset));
          }
        },
      ),
    );
  });

  it("say where some loop iterates in one place and stands still in another, and never of a rank that is cut evenly", () => {
    /** Whether a part takes one index and several, over places by the parts outside and the instances within. */
    const isUneven = (size: number, bounds: readonly number[], spatial: number): boolean =>
      bounds.some((_, part) => {
        const places = new Map<string, Set<number>>();
        for (let coordinate = 0; coordinate < size; coordinate++) {
          const indices = indicesOf(coordinate, bounds);
          const place = indices.filter((_, p) => p < part || (p > part && (spatial & (1 << p)) !== 0)).join();
          places.set(place, (places.get(place) ?? new Set()).add(indices[part] as number));
        }
        const counts = [...places.values()].map(indices => indices.size);
        return counts.includes(1) && counts.some(count => count > 1);
      });
    const inner = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 0, maxLength: 3 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 60 }), inner, fc.nat(15), (size, own, drawn) => {
        const covered = own.reduce((product, bound) => product * bound, 1);
        const bounds = [Math.ceil(size / covered), ...own];
        const spatial = drawn & ((1 << bounds.length) - 1);
        const rank = rankCount(bounds.length, spatial);
        rank.bounds.set(bounds);
        countRank(rank, size);
        if (isUneven(size, bounds, spatial)) expect(rank.uneven).toBe(true);
        const even = rankCount(bounds.length, spatial);
        even.bounds.set(bounds);
        countRank(even, covered * (bounds[0] as number));
        expect(even.uneven).toBe(false);
        // Without loops in space nothing else makes it uneven.
        const inTime = rankCount(bounds.length, 0);
        inTime.bounds.set(bounds);
        countRank(inTime, size);
        expect(inTime.uneven).toBe(isUneven(size, bounds, 0));
      }),
      { numRuns: 300 },
    );
  });
});
