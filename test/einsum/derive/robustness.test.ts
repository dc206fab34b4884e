import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseCascade } from "../../../src/einsum/cascade.js";
import { derivationChecker } from "../../../src/einsum/derive/check.js";
import { deriveOver } from "../../../src/einsum/derive/search.js";
import { FusemaxError } from "../../../src/errors.js";
import { randomAliases, randomCascade } from "../random-cascade.js";

describe("a search over any cascade", () => {
  it("ends without a fault, and what it answers computes what was given in fewer passes", async () => {
    let answered = 0;
    await fc.assert(
      fc.asyncProperty(fc.oneof(randomCascade(8), randomAliases(6)), async text => {
        const given = parseCascade(text);
        const rank = given.ranks.byName("K");
        if (rank === undefined) return;
        const found = await deriveOver(given, rank, { budget: 60 });
        try {
          const { answers } = await derivationChecker()(found);
          for (const { last, equal, cautions } of answers) {
            answered += 1;
            expect(last.measure.passes).toBeLessThan(found.given.measure.passes);
            if (!equal) expect(cautions.length).toBeGreaterThan(0);
          }
        } catch (error) {
          // Two names of one rank may have no sizes that fit the inputs: then nothing can be compared.
          if (!(error instanceof FusemaxError)) throw error;
        }
      }),
      { numRuns: Number(process.env["FUSEMAX_DERIVE_CASES"] ?? 60), seed: 17 },
    );
    expect(answered).toBeGreaterThan(2);
  }, 600_000);
});
