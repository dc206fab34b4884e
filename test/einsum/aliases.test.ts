import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { barriersOf } from "../../src/einsum/barriers.js";
import { type Cascade, parseCascade } from "../../src/einsum/cascade.js";
import { footprintsOf } from "../../src/einsum/footprint.js";
import { passesOver } from "../../src/einsum/passes.js";
import { fewestPasses } from "./pass-oracle.js";
import { randomAliases } from "./random-cascade.js";

/** `npm run test:passes` tries 20,000. */
const cases = Number(process.env["FUSEMAX_PASS_CASES"] ?? 2000);
/** A fiber is long enough that what looks one element ahead does not look at its end. */
const fiberLength = 4;

function passesOf(cascade: Cascade, name = "K"): number {
  const rank = cascade.ranks.byName(name);
  return rank === undefined ? 1 : passesOver(cascade, rank).passes;
}

describe("a rank that is read under several names", () => {
  it("has as many passes as the brute-force oracle finds", () => {
    const seed = Number(process.env["FUSEMAX_PASS_SEED"] ?? 7);
    const fewer: string[] = [];
    for (const text of fc.sample(randomAliases(5), { numRuns: cases, seed })) {
      const cascade = parseCascade(text);
      const [found, oracle] = [passesOf(cascade), fewestPasses(cascade, fiberLength)];
      expect(found, `seed ${seed}, more than any mapping needs:\n${text}`).toBeLessThanOrEqual(oracle);
      if (found < oracle) fewer.push(`${found} of ${oracle}:\n${text}`);
    }
    console.info(`${cases} cascades, ${fewer.length} with fewer passes than the oracle finds (seed ${seed})`);
    // Re-reads that can be avoided singly and not together are counted as avoided (docs/cascades.md).
    expect(fewer.length, fewer.join("\n")).toBeLessThanOrEqual(Math.ceil(cases / 2000));
  }, 300_000);

  const twoNames = parseCascade("inputs: I[m], W, U\nK[m] = I[m] * W\nQ[m] = I[m] * U\nZ[m] = Q[m] * K[p]");
  it("Z[0] of Z[m] = Q[m] * K[p] needs all of K: two passes, Q and K live", () => {
    const rank = twoNames.ranks.byName("M");
    if (rank === undefined) throw new Error("no rank M");
    const analysis = passesOver(twoNames, rank);
    const barriers = barriersOf(twoNames, analysis);
    expect(analysis.passes).toBe(2);
    expect(barriers.map(({ before, after, through }) => [before, after, through])).toEqual([
      [0, 2, "Q"],
      [0, 2, "K"],
    ]);
    expect(footprintsOf(twoNames, analysis, barriers).map(({ tensor }) => tensor)).toEqual(["K", "Q"]);
  });

  const made = "inputs: I[m], W, U\nK[m] = I[m] * W\nQ[m] = I[m] * U\n";
  it.each([
    ["prefix", "Z[m] = Q[m] * K[p: p<=m]", 1],
    ["suffix", "Z[m] = Q[m] * K[p: p>=m]", 2],
    ["shifted ahead", "Z[m] = Q[m] * K[m+1]", 1],
    ["shifted back", "Z[m] = Q[m] * K[m-1]", 1],
    ["by another rank's size", "Z[m] = Q[m] * K[m+J] * X[j]", 2],
    ["strided", "Z[m] = Q[m] * K[2*m]", 1],
    ["reversed", "Z[m] = Q[m] * K[M-1-m]", 2],
    ["the last element", "T = K[M-1] * W\nZ[m] = Q[m] * T", 2],
    ["the first element", "T = K[0] * W\nZ[m] = Q[m] * T", 1],
    ["along another rank", "S[m,p] = Q[p] * K[m]\nZ[p] = S[m,p] :: max(m)", 2],
    ["a chain", "L[m] = K[m+1]\nN[m] = L[2*m]\nZ[m] = Q[m] * N[p]", 2],
    ["a chain of reversals", "L[m] = K[M-1-m] * W\nZ[m] = Q[m] * L[M-1-m]", 3],
    ["twice in a row", "Y[m] = Q[m] * K[p]\nZ[m] = Q[m] * Y[p]", 3],
  ])("%s: %s", (_, lines, passes) => {
    const text = lines.includes("X[j]") ? made.replace("U\n", "U, X[j]\n") : made;
    expect(passesOf(parseCascade(text + lines), "M")).toBe(passes);
  });

  it("self-attention of one input passes over it once more than attention does", () => {
    const projected = [
      "inputs: X[m], A, B, C",
      "Q[m] = X[m] * A",
      "K[m] = X[m] * B",
      "V[m] = X[m] * C",
      "QK[m,p] = Q[p] * K[m]",
      "GM[p] = QK[m,p] :: max(m)",
      "SN[m,p] = exp(QK[m,p] - GM[p])",
      "SD[p] = SN[m,p]",
      "P[m,p] = SN[m,p] / SD[p]",
      "AV[p] = P[m,p] * V[m]",
    ];
    expect(passesOf(parseCascade(projected.join("\n")), "M")).toBe(4);
  });
});
