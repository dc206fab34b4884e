import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseCascade } from "../../src/einsum/cascade.js";
import { CascadeError } from "../../src/einsum/source.js";

/** Ranks R0 to R4, each the sum of some of those after it; in any order of lines. */
const sums = fc
  .tuple(...[1, 2, 3, 4].map(first => fc.subarray([1, 2, 3, 4].filter(i => i >= first))))
  .map(all => all.map((of, i) => ({ rank: i, of })));
const textOf = (lines: readonly { readonly rank: number; readonly of: readonly number[] }[]): string =>
  [...lines.map(({ rank, of }) => `ranks: R${rank} = ${[...of.map(i => `R${i}`), "1"].join(" + ")}`), "Z = A[r0]"].join(
    "\n",
  );

describe("the sizes that ranks are declared with", () => {
  const law = fc.property(
    sums.chain(all => fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length }))),
    fc.nat(3),
    ([inOrder, lines], from) => {
      expect(() => parseCascade(textOf(lines))).not.toThrow();
      // A rank that a walk from `from` along the sums ends at, which then needs the first.
      let end = from;
      for (let at = inOrder[end]?.of[0]; at !== undefined; at = inOrder[end]?.of[0]) end = at;
      const closed = lines.filter(({ rank }) => rank !== end).concat({ rank: end, of: [from] });
      expect(() => parseCascade(textOf(closed))).toThrow(CascadeError);
      expect(() => parseCascade(textOf(closed))).toThrow(/found from R\d's own/);
    },
  );

  it("law: may be sums of each other in any order, unless one is found from its own", () => {
    fc.assert(law, { numRuns: 200 });
  });
});
