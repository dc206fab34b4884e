import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FusemaxError } from "../../src/errors.js";
import { specFiles } from "../../src/io/spec-files.js";
import { compileDesign } from "../../src/model/compile.js";
import { accountingOf } from "../../src/model/corrections.js";
import { evaluate } from "../../src/model/evaluate.js";
import { checkSizes } from "../../src/model/sizes.js";
import { loadDesign } from "../../src/spec/load.js";

/** Designs with choices: one whose blocks depend on the buffer through capacity alone, and one whose loops are cut by it too. */
const designs = ["unfused", "linear-flat", "product"] as const;

describe("mapping searches", () => {
  /**
   * Law: what a search found out about mappings for one buffer never changes what it takes for another. A design compiled once
   * and taken through many buffers, arrays and masks gives, to the last bit, what one compiled for that point alone gives.
   */
  it.each(designs)("of %s remember without being led by what they remember", name => {
    const design = loadDesign(specFiles, name);
    const point = fc.record({
      bytes: fc.integer({ min: 4 * 13, max: 4 * 25 }).map(quarters => Math.floor(2 ** (quarters / 4))),
      rows: fc.constantFrom(16, 64, 256),
      rowWords: fc.constantFrom(64, 256),
      queries: fc.constantFrom(1, 100, 1000, 4096),
      group: fc.constantFrom(1, 4),
      causal: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(point, { minLength: 2, maxLength: 12 }), fc.boolean(), (points, corrected) => {
        const accounting = {
          ...accountingOf(corrected ? "corrected" : "published", undefined),
          mapping: "search",
        } as const;
        const compile = () =>
          compileDesign(design, {
            corrections: accounting.corrections,
            patches: ["levels.buffer.bytes", "parameters.rows", "levels.buffer.rowWords"].map((field, i) => ({
              path: `architecture.${field}`,
              value: `@${i}`,
            })),
            variables: 3,
          });
        const once = compile();
        for (const { bytes, rows, rowWords, queries, group, causal } of points) {
          const M = name === "product" ? 1 : queries;
          const sizes = checkSizes({ B: 2, H: 2, E: 64, F: 64, M, queries, group, modelDim: 512, feedForward: 1024 });
          const mask = { left: -1, right: 0, sequences: [{ count: 2, queries, keys: queries }] };
          const masked = causal && name === "unfused" ? mask : undefined;
          const at = (compiled: typeof once) => {
            try {
              const { cycles, trafficBytes, energyPj, mappingsTried } = evaluate(
                compiled,
                sizes,
                accounting,
                [bytes, rows, rowWords],
                masked,
              );
              return { cycles, trafficBytes, energyPj, mappingsTried };
            } catch (error) {
              if (error instanceof FusemaxError) return error.message;
              throw error;
            }
          };
          expect(at(once)).toEqual(at(compile()));
        }
      }),
      { numRuns: 20 },
    );
  });
});
