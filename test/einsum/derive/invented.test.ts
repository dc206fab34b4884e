import { describe, expect, it } from "vitest";
import { parseCascade } from "../../../src/einsum/cascade.js";
import { derivationChecker } from "../../../src/einsum/derive/check.js";
import { deriveOver } from "../../../src/einsum/derive/search.js";
import { compareCascades } from "../../../src/einsum/equal.js";
import { invented } from "./invented.js";

describe("cascades that no law was written for", () => {
  it.each(invented)(
    "$name: from $passes passes",
    async ({ text, rank: name, passes, cancelling, impossible }) => {
      const given = parseCascade(text);
      const rank = given.ranks.byName(name);
      if (rank === undefined) throw new Error(`no rank ${name}`);
      // The plans find these; what breadth adds is tested elsewhere.
      const found = await derivationChecker()(await deriveOver(given, rank, { budget: 1 }));
      const best = found.answers.find(({ equal }) => equal)?.last ?? found.given;
      const others = found.answers.filter(({ equal }) => !equal).map(({ last }) => last.measure.passes);
      const fewest = Math.min(...others, best.measure.passes);
      expect([found.given.measure.passes, best.measure.passes, fewest]).toEqual([...passes, cancelling ?? passes[1]]);
      expect(found.wholeFiber !== null).toBe(impossible ?? false);
      // On other inputs than those of the check; where sums may cancel another seed may show it.
      const cautious = found.answers.find(({ last }) => last === best)?.cautions.length ?? 0;
      const seed = cautious > 0 ? {} : { seed: 5 };
      expect(compareCascades(given, best.cascade, { trials: 4, ...seed }).firstDiffering?.name).toBeUndefined();
    },
    60_000,
  );
});
