import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { countRank, rankCount } from "../../src/model/partition.js";

/** The distinct tuples of indices that the chosen parts' loops take, by running the loops. */
function enumerate(size: number, bounds: readonly number[], subset: number): number {
  const seen = new Set<string>();
  for (let coordinate = 0; coordinate < size; coordinate++) {
    let rest = coordinate;
    const indices = bounds.map((_, part) => {
      const chunk = bounds.slice(part + 1).reduce((product, bound) => product * bound, 1);
      const index = Math.floor(rest / chunk);
      rest %= chunk;
      return index;
    });
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
});
