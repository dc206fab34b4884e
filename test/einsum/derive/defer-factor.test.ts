import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Cascade } from "../../../src/einsum/cascade.js";
import { parseCascade } from "../../../src/einsum/cascade.js";
import { deferFactor } from "../../../src/einsum/derive/defer-factor.js";
import { compareCascades } from "../../../src/einsum/equal.js";
import { evaluateCascade } from "../../../src/einsum/evaluate.js";
import { passesOver } from "../../../src/einsum/passes.js";
import { cascadeNames, loadCascade } from "../../../src/io/cascade-files.js";
import { generatedNormals } from "../../../src/numerics/generated-normal.js";
import { randomCascade } from "../random-cascade.js";

const passes = (cascade: Cascade, name: string): number => {
  const rank = cascade.ranks.byName(name);
  if (rank === undefined) throw new Error(`no rank ${name}`);
  return passesOver(cascade, rank).passes;
};
const linesOf = ({ einsums }: Cascade): string[] => einsums.map(({ text }) => text.trim());

describe("deferring a factor past a sum", () => {
  it("makes the deferred-division cascade of the 3-pass one: two passes over M", () => {
    const cascade = loadCascade("attention-3-pass");
    const { rewrites } = deferFactor.apply(cascade);
    expect(rewrites.map(({ words }) => words)).toEqual(["SD[p] out of the sum over m that makes AV"]);
    const derived = rewrites[0]?.cascade as Cascade;
    expect([passes(cascade, "M"), passes(derived, "M")]).toEqual([3, 2]);
    expect(linesOf(derived).slice(-2)).toEqual(["AVS[f,p] = SN[m,p] * V[f,m]", "AV[f,p] = AVS[f,p] / SD[p]"]);
    expect(derived.tensors.has("A")).toBe(false);
    expect(compareCascades(derived, loadCascade("attention-3-pass-deferred")).largest?.difference?.relative).toBe(0);
    expect(compareCascades(cascade, derived).equal).toBe(true);
  });

  it("makes the paper's Cascade 2 of its Cascade 1, and the deferred product of RMS normalization", () => {
    const [one] = deferFactor.apply(loadCascade("cascade-1")).rewrites;
    expect(linesOf(one?.cascade as Cascade)).toEqual(["Y = A[k] * B[k]", "ZS = A[k]", "Z = ZS * Y"]);
    expect([passes(loadCascade("cascade-1"), "K"), passes(one?.cascade as Cascade, "K")]).toEqual([2, 1]);
    const [rms] = deferFactor.apply(loadCascade("rms-norm-product")).rewrites;
    expect(compareCascades(rms?.cascade as Cascade, loadCascade("rms-norm-product-deferred")).equal).toBe(true);
    expect(passes(rms?.cascade as Cascade, "D")).toBe(passes(loadCascade("rms-norm-product-deferred"), "D"));
  });

  it("keeps the function wherever it applies in the library, and never makes more passes", () => {
    let applied = 0;
    for (const name of cascadeNames()) {
      const cascade = loadCascade(name);
      for (const { cascade: derived } of deferFactor.apply(cascade).rewrites) {
        applied += 1;
        const report = compareCascades(cascade, derived, { trials: 4 });
        expect([name, report.equal, report.firstDiffering?.name]).toEqual([name, true, undefined]);
        for (const rank of cascade.ranks.ranks)
          expect(passes(derived, rank.name)).toBeLessThanOrEqual(passes(cascade, rank.name));
      }
    }
    expect(applied).toBeGreaterThanOrEqual(3);
  });

  it("keeps the function of random cascades, and makes no more passes of them", () => {
    let [tried, applied] = [0, 0];
    fc.assert(
      fc.property(randomCascade(7), fc.nat(), (text, seed) => {
        tried += 1;
        const cascade = parseCascade(text);
        const { rewrites } = deferFactor.apply(cascade);
        if (rewrites.length === 0) return;
        const K = 5;
        const input = (name: string) => {
          const normal = generatedNormals(seed, name);
          // About 1, so that products of many neither vanish nor grow.
          return { shape: [K], data: Float64Array.from({ length: K }, (_, k) => 1 + normal(k) / 8) };
        };
        const inputs = { A: input("A"), B: input("B"), C: input("C") };
        const before = evaluateCascade(cascade, inputs, { shape: { K } });
        for (const { cascade: derived, tensor } of rewrites) {
          applied += 1;
          const after = evaluateCascade(derived, inputs, { shape: { K } });
          for (const output of cascade.outputs) {
            const [x, y] = [before.tensors.get(output)?.data ?? [], after.tensors.get(output)?.data ?? []];
            for (const [i, value] of x.entries()) {
              expect(Math.abs((y[i] ?? Number.NaN) - value), `${tensor}: ${output}[${i}]`).toBeLessThanOrEqual(
                1e-9 * Math.max(1, Math.abs(value)),
              );
            }
          }
          expect(passes(derived, "K")).toBeLessThanOrEqual(passes(cascade, "K"));
        }
      }),
      { numRuns: 2000 },
    );
    expect(applied).toBeGreaterThan(0.03 * tried - 1);
  });

  it("keeps annotations, other lines and indentation as they are", () => {
    const text =
      "# title: t\nExtended Einsums:\n  S = A[k]\n  Y[i] = B[i,k] * (1 / S) * 2 @accumulator # scaled\n  Z = Y[i]\n";
    const [rewrite] = deferFactor.apply(parseCascade(text)).rewrites;
    expect(rewrite?.cascade.source.lines).toEqual([
      "# title: t",
      "Extended Einsums:",
      "  S = A[k]",
      "  YS[i] = B[i,k]",
      "  Y[i] = YS[i] * 1 * 2 / S @accumulator",
      "  Z = Y[i]",
      "",
    ]);
  });

  it.each([
    ["a maximum", "Y = A[k] * B :: max(k)", /other than one sum/],
    ["a filter", "Y[i] = A[k: k<=i] * B[i]", /a filter says/],
    ["nothing left to sum", "Y = A * B[k] * C[j]\nZ[j] = C[j] * D", null],
    ["a factor of which only another rank is left", "Y = A * B * C[k] + D", null],
    ["an iteration", "R[i=0] = 0\nR[i+1] = R[i] * A[i,k]\nuntil: i >= I", /it iterates/],
  ])("refuses %s, or does not apply", (_what, text, reason) => {
    const { rewrites, refusals } = deferFactor.apply(parseCascade(text));
    if (reason === null) {
      for (const { cascade } of rewrites) expect(compareCascades(parseCascade(text), cascade).equal).toBe(true);
    } else {
      expect(rewrites).toEqual([]);
      expect(refusals[0]?.reason).toMatch(reason);
    }
  });
});
