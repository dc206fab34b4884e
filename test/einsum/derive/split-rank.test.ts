import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Cascade, parseCascade } from "../../../src/einsum/cascade.js";
import { splitRank } from "../../../src/einsum/derive/split-rank.js";
import { evaluateCascade } from "../../../src/einsum/evaluate.js";
import { inputShape } from "../../../src/einsum/input-shape.js";
import { passesOver } from "../../../src/einsum/passes.js";
import { solveShape } from "../../../src/einsum/shape.js";
import { cascadeNames, loadCascade } from "../../../src/io/cascade-files.js";
import { generatedNormals } from "../../../src/numerics/generated-normal.js";
import { randomCascade } from "../random-cascade.js";

const passes = (cascade: Cascade, name: string): number => {
  const rank = cascade.ranks.byName(name);
  if (rank === undefined) throw new Error(`no rank ${name}`);
  return passesOver(cascade, rank).passes;
};

/** The outputs of both on the same inputs. */
function expectSameBits(
  cascade: Cascade,
  derived: Cascade,
  shape: Record<string, number>,
  tile: Record<string, number>,
) {
  const sizes = solveShape(cascade, shape);
  const inputs = Object.fromEntries(
    cascade.inputs.map(name => {
      const own = inputShape(cascade, name, sizes);
      const normal = generatedNormals(3, name);
      return [
        name,
        { shape: own, data: Float64Array.from({ length: own.reduce((a, b) => a * b, 1) }, (_, i) => normal(i)) },
      ];
    }),
  );
  const [x, y] = [evaluateCascade(cascade, inputs, { shape }), evaluateCascade(derived, inputs, { shape: tile })];
  for (const output of cascade.outputs) expect(y.tensors.get(output)?.data).toEqual(x.tensors.get(output)?.data);
}

describe("splitting a rank into tiles", () => {
  it("keeps every bit of attention, and its passes", () => {
    const cascade = loadCascade("attention-3-pass");
    const [rewrite] = splitRank("M").apply(cascade).rewrites;
    const derived = rewrite?.cascade as Cascade;
    expect(rewrite?.words).toBe("M into M1 tiles of M0");
    expect(derived.einsums.map(({ text }) => text)).toEqual([
      "QK[m1,m0,p] = Q[e,p] * K[e,m1*M0+m0] :: +(e)",
      "GM[p] = QK[m1,m0,p] :: max(m1, m0)",
      "SN[m1,m0,p] = exp(QK[m1,m0,p] - GM[p])",
      "SD[p] = SN[m1,m0,p] :: +(m1, m0)",
      "A[m1,m0,p] = SN[m1,m0,p] / SD[p]",
      "AV[f,p] = A[m1,m0,p] * V[f,m1*M0+m0] :: +(m1, m0)",
    ]);
    expect(passes(derived, "M")).toBe(passes(cascade, "M"));
    expectSameBits(cascade, derived, { M: 12, P: 3, E: 4, F: 5 }, { M0: 4 });
  });

  it("keeps every bit of the library's cascades, along any rank", () => {
    let applied = 0;
    for (const name of cascadeNames()) {
      const cascade = loadCascade(name);
      if (cascade.ranks.ranks.some(({ parts }) => parts.length > 1)) continue;
      const shape = Object.fromEntries(cascade.ranks.ranks.map((rank, i) => [rank.name, 6 + 2 * i]));
      for (const rank of cascade.ranks.ranks) {
        for (const { cascade: derived } of splitRank(rank.name).apply(cascade).rewrites) {
          applied += 1;
          expectSameBits(cascade, derived, shape, { ...shape, [`${rank.name}0`]: 2 });
          expect(passes(derived, rank.name)).toBe(passes(cascade, rank.name));
        }
      }
    }
    expect(applied).toBeGreaterThan(25);
  });

  it("keeps every bit of random cascades", () => {
    let [tried, applied] = [0, 0];
    fc.assert(
      fc.property(randomCascade(6), text => {
        tried += 1;
        const iterates = text.includes("[k=0]");
        const cascade = parseCascade(iterates ? text : text.replace(/until:.*\n/, ""));
        for (const { cascade: derived } of splitRank("K").apply(cascade).rewrites) {
          applied += 1;
          expectSameBits(cascade, derived, { K: 6 }, { K: 6, K0: 3 });
        }
      }),
      { numRuns: 1000 },
    );
    expect(applied).toBeGreaterThan(0.03 * tried - 1);
  });

  it.each([
    ["an iteration", "R[i=0] = 0\nR[i+1] = R[i] + A[i]\nuntil: i >= I", "I", /R iterates over it/],
    ["a stop", "Y[k] = A[k]\nuntil: k >= K", "K", /a stop names it/],
    ["a filter", "Y[i] = A[k: k<=i]", "K", /two variables|a filter of Y/],
    ["a neighbour", "Y[k] = A[k] + A[k+1]", "K", /neighbour/],
    ["a fixed coordinate", "Y[k] = A[k]\nZ[k] = Y[k] - Y[0]", "K", /a fixed coordinate of Y/],
    ["a name that is taken", "Y[k,k0] = A[k] * B[k0]", "K", /there is a rank K0/],
    ["what is split already", "ranks: K = K1 * K0\nY[k1,k0] = A[k1*K0+k0]", "K", /split already/],
  ])("refuses %s", (_what, text, rank, reason) => {
    const { rewrites, refusals } = splitRank(rank).apply(parseCascade(text));
    expect(rewrites).toEqual([]);
    expect(refusals[0]?.reason).toMatch(reason);
  });
});
