import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bitPlane } from "../../src/attention/bit-plane.js";
import { type AttentionMask, maskOf } from "../../src/attention/mask.js";
import { planeMaskOf } from "../../src/attention/sequences.js";
import { visibleScores } from "../../src/attention/visible.js";
import { specFiles } from "../../src/io/spec-files.js";
import { attentionPoints } from "../../src/model/attention-point.js";
import { compileDesign } from "../../src/model/compile.js";
import { accountingOf } from "../../src/model/corrections.js";
import { costOfRun } from "../../src/model/cost.js";
import { evaluate } from "../../src/model/evaluate.js";
import { loadDesign, loadWorkload } from "../../src/spec/load.js";
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

  it("is counted once for all sequences and heads that share it", () => {
    const shape = { batch: 64, heads: 12, kvHeads: 12, queries: 5, keys: 7, headDim: 2, valueDim: 2 };
    const plane = bitPlane([1, 1, 5, 7], new Uint8Array(35).fill(1));
    const lengths = { qLens: Array<number>(64).fill(5), kvLens: Array<number>(64).fill(7) };
    const mask = planeMaskOf(shape, { left: -1, right: -1, ...lengths, planes: [plane] });
    expect(mask?.sequences.map(({ count }) => count)).toEqual([64 * 12]);
  });
});

describe("padding in front", () => {
  it("law: costs in a model's batch what it costs in a run's, with a file's mask as well", () => {
    const workload = { ...loadWorkload(specFiles, "gpt-2"), batch: 1 };
    const accounting = accountingOf("corrected", undefined);
    const compiled = compileDesign(fusemax, { corrections: accounting.corrections });
    const [leftPad, kvLens] = [
      [30, 0, 299],
      [300, 200, 300],
    ] as const;
    const bits = Uint8Array.from({ length: 3 * 300 * 300 }, (_, i) => ((i * i) % 7 < 3 ? 1 : 0));
    const planes = [bitPlane([3, 1, 300, 300], bits)];
    for (const more of [{}, { planes }]) {
      const window = { left: -1, right: 0 };
      const [point] = attentionPoints(workload, {
        ...{ phase: "prefill", seq: 300, batch: 1, decodeQueries: 1, kvLens, leftPad },
        ...("planes" in more ? { masking: () => ({ ...window, ...more }) } : {}),
      });
      const shape = { ...workload, batch: 3, queries: 300, keys: 300 };
      const lengths = { qLens: kvLens, kvLens, leftPad };
      const run = costOfRun(fusemax, shape, undefined, { ...window, ...lengths, ...more }, { accounting });
      if (point === undefined) throw new Error("no point");
      const model = evaluate(compiled, point.sizes, accounting, [], point.mask);
      expect([model.cycles, model.trafficBytes]).toEqual([run.cycles, run.dramBytes]);
    }
  });
});
