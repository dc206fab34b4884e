import { describe, expect, it } from "vitest";
import { type Cascade, parseCascade } from "../../../src/einsum/cascade.js";
import { changeReference } from "../../../src/einsum/derive/change-reference.js";
import { deferFactor } from "../../../src/einsum/derive/defer-factor.js";
import type { Law } from "../../../src/einsum/derive/law.js";
import { reduceInTwoSteps } from "../../../src/einsum/derive/reduce-in-two-steps.js";
import { splitRank } from "../../../src/einsum/derive/split-rank.js";
import { compareCascades } from "../../../src/einsum/equal.js";
import { passesOver } from "../../../src/einsum/passes.js";
import { loadCascade } from "../../../src/io/cascade-files.js";

const passes = (cascade: Cascade, name: string): number => {
  const rank = cascade.ranks.byName(name);
  if (rank === undefined) throw new Error(`no rank ${name}`);
  return passesOver(cascade, rank).passes;
};

/** The cascade after a law has rewritten the Einsum of a tensor. */
function rewritten(cascade: Cascade, law: Law, tensor: string | null = null): Cascade {
  const rewrite = law.apply(cascade).rewrites.find(found => tensor === null || found.tensor === tensor);
  if (rewrite === undefined) throw new Error(`${law.name} does not apply to ${tensor}`);
  return rewrite.cascade;
}

describe("changing the reference of an exponential", () => {
  it("takes softmax's numerators against the maximum of their tile", () => {
    const softmax = loadCascade("softmax");
    const tiled = rewritten(rewritten(softmax, splitRank("M")), reduceInTwoSteps, "GM");
    const [rewrite] = changeReference.apply(tiled).rewrites;
    expect(rewrite?.words).toBe("SN against GMS[m1], corrected for GM");
    expect(rewrite?.cascade.einsums.map(({ text }) => text).slice(2, 5)).toEqual([
      "SNS[m1,m0] = exp(X[m1*M0+m0] - GMS[m1])",
      "GMSS[m1] = exp(GMS[m1] - GM)",
      "SN[m1,m0] = SNS[m1,m0] * GMSS[m1]",
    ]);
    const report = compareCascades(tiled, rewrite?.cascade as Cascade, { shape: { M: 12, M0: 3 } });
    expect([report.equal, report.firstDiffering?.name]).toEqual([true, undefined]);
  });

  it("with the other laws leads from three passes over the keys to one: local denominators and values, corrected at the end", () => {
    const chain: (readonly [Law, string | null])[] = [
      [deferFactor, "AV"],
      [splitRank("M"), null],
      [reduceInTwoSteps, "GM"],
      [reduceInTwoSteps, "SD"],
      [reduceInTwoSteps, "AVS"],
      [changeReference, "SN"],
      [deferFactor, "SDS"],
      [deferFactor, "AVSS"],
    ];
    const start = loadCascade("attention-3-pass");
    let [cascade, most] = [start, passes(start, "M")];
    for (const [law, tensor] of chain) {
      cascade = rewritten(cascade, law, tensor);
      const now = passes(cascade, "M");
      expect(now, law.name).toBeLessThanOrEqual(most);
      most = now;
      expect(compareCascades(start, cascade, { shape: { M: 12 }, trials: 3 }).equal, law.name).toBe(true);
    }
    // Keys are passed once; what each tile leaves, M1 sums and M1 rows of values, is passed twice: split keys, combined at the end.
    expect([most, passes(cascade, "M1")]).toEqual([1, 2]);
    const lines = cascade.einsums.map(({ text }) => text);
    expect(lines).toContain("SDSS[m1,p] = SNS[m1,m0,p]");
    expect(lines).toContain("SDS[m1,p] = SDSS[m1,p] * GMSS[m1,p]");
    expect(lines).toContain("AVSSS[m1,f,p] = SNS[m1,m0,p] * V[f,m1*M0+m0]");
  });

  it.each([
    ["what is no maximum", "G = A[k]\nY[k] = exp(A[k] - G)", null],
    ["the maximum of an input", "G = A[k] :: max(k)\nY[k] = exp(A[k] - G)", null],
    [
      "a sum of exponentials",
      "L[i] = A[i,k] :: max(k)\nG = L[i] :: max(i)\nY[i] = exp(A[i,k] - G)",
      /only elementwise work/,
    ],
    [
      "one that has no tiles",
      "L[i] = A[i,k] :: max(k)\nG = L[i] :: max(i)\nY[k] = exp(B[k] - G)",
      /does not run over i/,
    ],
  ])("leaves %s alone", (_what, text, reason) => {
    const { rewrites, refusals } = changeReference.apply(parseCascade(text));
    expect(rewrites).toEqual([]);
    if (reason !== null) expect(refusals[0]?.reason).toMatch(reason);
  });
});
