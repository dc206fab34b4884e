import { describe, expect, it } from "vitest";
import { type Cascade, parseCascade } from "../../../src/einsum/cascade.js";
import { reduceInTwoSteps } from "../../../src/einsum/derive/reduce-in-two-steps.js";
import { splitRank } from "../../../src/einsum/derive/split-rank.js";
import { compareCascades } from "../../../src/einsum/equal.js";
import { passesOver } from "../../../src/einsum/passes.js";
import { cascadeNames, loadCascade } from "../../../src/io/cascade-files.js";

const passes = (cascade: Cascade, name: string): number => {
  const rank = cascade.ranks.byName(name);
  if (rank === undefined) throw new Error(`no rank ${name}`);
  return passesOver(cascade, rank).passes;
};
const tiled = (name: string, rank: string): Cascade =>
  splitRank(rank).apply(loadCascade(name)).rewrites[0]?.cascade as Cascade;

describe("reducing in two steps", () => {
  it("makes local maxima and sums of attention's", () => {
    const cascade = tiled("attention-3-pass-deferred", "M");
    const { rewrites } = reduceInTwoSteps.apply(cascade);
    expect(rewrites.map(({ words }) => words)).toEqual(
      ["GM", "SD", "SNV"].map(tensor => `${tensor} within each m1, then over m1`),
    );
    const [ofMaximum, , ofValues] = rewrites;
    const lines = ofMaximum?.cascade.einsums.map(({ text }) => text) ?? [];
    expect(lines).toContain("GMS[m1,p] = QK[m1,m0,p] :: max(m0)");
    expect(lines).toContain("GM[p] = GMS[m1,p] :: max(m1)");
    expect(ofValues?.cascade.einsums.map(({ text }) => text)).toContain(
      "SNVS[m1,f,p] = SN[m1,m0,p] * V[f,m1*M0+m0] :: +(m0)",
    );
    for (const { cascade: derived } of rewrites) {
      expect(compareCascades(derived, loadCascade("attention-1-pass"), { shape: { M: 12, M0: 4 } }).equal).toBe(true);
      expect(passes(derived, "M")).toBe(passes(cascade, "M"));
    }
  });

  it("keeps the function of every cascade of the library that can be tiled, and its passes", () => {
    let applied = 0;
    for (const name of cascadeNames()) {
      const cascade = loadCascade(name);
      if (cascade.ranks.ranks.some(({ parts }) => parts.length > 1)) continue;
      for (const { name: rank } of cascade.ranks.ranks) {
        for (const { cascade: split } of splitRank(rank).apply(cascade).rewrites) {
          for (const { cascade: derived } of reduceInTwoSteps.apply(split).rewrites) {
            applied += 1;
            expect(compareCascades(split, derived, { shape: { [rank]: 6, [`${rank}0`]: 3 }, trials: 2 }).equal).toBe(
              true,
            );
            expect(passes(derived, rank)).toBeLessThanOrEqual(passes(cascade, rank));
          }
        }
      }
    }
    expect(applied).toBeGreaterThan(15);
  });

  it.each([
    ["several reductions", "ranks: K = K1 * K0\nY = A[k1*K0+k0] :: max(k0) :: +(k1)", /several steps already/],
    ["a filter", "ranks: K = K1 * K0\nY = A[k1*K0+k0: k1<=k0]", /a filter says/],
  ])("refuses %s", (_what, text, reason) => {
    const { rewrites, refusals } = reduceInTwoSteps.apply(parseCascade(text));
    expect(rewrites).toEqual([]);
    expect(refusals[0]?.reason).toMatch(reason);
  });
});
