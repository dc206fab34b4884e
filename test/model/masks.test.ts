import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bitPlane } from "../../src/attention/bit-plane.js";
import { type AttentionMask, maskOf } from "../../src/attention/mask.js";
import { visibleScores } from "../../src/attention/visible.js";
import { specFiles } from "../../src/io/spec-files.js";
import { accountingOf } from "../../src/model/corrections.js";
import { costOfRun } from "../../src/model/cost.js";
import { loadDesign } from "../../src/spec/load.js";
import { masks, shapes } from "../properties/arbitrary.js";

const fusemax = loadDesign(specFiles, "fusemax");

describe("the cost of a mask of bits", () => {
  it("law: bits that say what a window says cost the same, for all heads at once or each by itself", () => {
    fc.assert(
      fc.property(
        shapes({ queries: 40, keys: 60 }).chain(shape => fc.tuple(fc.constant(shape), masks(shape))),
        fc.boolean(),
        ([shape, mask], eachHead) => {
          const seen = maskOf({ shape, mask });
          const heads = eachHead ? shape.heads : 1;
          const values: number[] = [];
          for (let b = 0; b < shape.batch; b += 1) {
            for (let h = 0; h < heads; h += 1) {
              for (let p = 0; p < shape.queries; p += 1) {
                const row = (b * shape.heads + h) * shape.queries + p;
                for (let m = 0; m < shape.keys; m += 1) values.push(seen.sees(row, m) ? 1 : 0);
              }
            }
          }
          const plane = bitPlane([shape.batch, heads, shape.queries, shape.keys], values);
          const { left: _left, right: _right, ...lengths } = mask;
          const byBits: AttentionMask = { left: -1, right: -1, ...lengths, planes: [plane] };
          expect(visibleScores({ shape, mask: byBits })).toBe(visibleScores({ shape, mask }));
          for (const name of ["published", "corrected"] as const) {
            const accounting = accountingOf(name, undefined, "published");
            const cost = (own: AttentionMask) => costOfRun(fusemax, shape, { m0: 8, p0: 4 }, own, { accounting });
            const [bits, window] = [cost(byBits), cost(mask)];
            // Cycles, traffic and actions are whole numbers; energy adds them up in another order.
            expect(bits.energyPj ?? 0).toBeCloseTo(
              window.energyPj ?? 0,
              -Math.log10((window.energyPj ?? 1) * 1e-12 + 1e-9),
            );
            expect({ ...bits, energyPj: 0 }).toEqual({ ...window, energyPj: 0 });
          }
        },
      ),
      { numRuns: 60 },
    );
  });
});
