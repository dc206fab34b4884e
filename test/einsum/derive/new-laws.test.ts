import { describe, expect, it } from "vitest";
import { parseCascade } from "../../../src/einsum/cascade.js";
import { correctRunningSum, followFactor } from "../../../src/einsum/derive/correct-running-sum.js";
import { deferPastExtremum } from "../../../src/einsum/derive/defer-past-extremum.js";
import { inlineWork } from "../../../src/einsum/derive/inline-work.js";
import type { Law } from "../../../src/einsum/derive/law.js";
import { mergeTiles } from "../../../src/einsum/derive/merge-tiles.js";
import { recompute } from "../../../src/einsum/derive/recompute.js";
import { needsWholeFiber, rememberedOf } from "../../../src/einsum/derive/remember.js";
import { runAboutMean } from "../../../src/einsum/derive/run-about-mean.js";
import { recombineSums, splitSum } from "../../../src/einsum/derive/take-apart.js";
import { compareCascades } from "../../../src/einsum/equal.js";
import { loadCascade } from "../../../src/io/cascade-files.js";

const softmax = "G = X[m] :: max(m)\nN[m] = exp(X[m] - G)\nD = N[m]\n";
const running = "P[m=0] = 1\nP[m+1] = P[m] * sigmoid(H[m])\n";
const sums = "S[m=0] = 0\nS[m+1] = S[m] + H[m]\n";
const stop = "\nuntil: m >= M";

describe("what a law writes", () => {
  it.each<[string, Law, string, string[], string | null]>([
    [
      "a sum of shifted products",
      recombineSums,
      "S = X[k]\nC = S / K\nY = (X[k] - C) * W[k]",
      ["YS = X[k] * W[k]", "YSS = W[k]", "Y = YS - C * YSS"],
      "cancellation",
    ],
    [
      "a square about a mean, with the sum that is there already",
      recombineSums,
      "S = X[k]\nC = S / K\nY = square(X[k] - C)",
      ["YS = X[k] * X[k]", "Y = YS + C * C * K - 2 * C * S"],
      "cancellation",
    ],
    [
      "a sum of quotients that wait for different sums",
      splitSum,
      "A = sigmoid(X[k])\nB = sigmoid(Z[k])\nY = (sigmoid(X[k]) / A + sigmoid(Z[k]) / B) * W[k]",
      ["YS = sigmoid(X[k]) * W[k]", "YSS = sigmoid(Z[k]) * W[k]", "Y = YS / A + YSS / B"],
      null,
    ],
    [
      "the largest of what is divided by what is not negative",
      deferPastExtremum,
      `${softmax}Y = N[m] / D :: max(m)`,
      ["YS = N[m] :: max(m)", "Y = YS / D"],
      null,
    ],
    [
      "the largest of what falls",
      deferPastExtremum,
      "S = X[k]\nY = exp(S - X[k]) :: max(k)",
      ["YS = X[k] :: min(k)", "Y = exp(S - YS)"],
      null,
    ],
    [
      "a decay that is a product",
      correctRunningSum,
      `${running}Y = X[m] * P[M] / P[m+1]${stop}`,
      ["SPY[m] = RY[m] * sigmoid(H[m]) @accumulator", "RY[m+1] = X[m] + SPY[m]"],
      null,
    ],
    [
      "a decay that is the exponential of a sum",
      correctRunningSum,
      `${sums.replace("H[m]", "min(H[m], 0)")}Y = X[m] * exp(S[M] - S[m+1])${stop}`,
      ["PH[m] = exp(min(H[m], 0)) @factor", "SPY[m] = RY[m] * PH[m] @accumulator"],
      null,
    ],
    [
      "the paper's Cascade 3",
      followFactor,
      `${sums}Y = X[m] * S[M]${stop}`,
      ["SPY[m] = RY[m] * S[m+1] / S[m] @accumulator", "RY[m+1] = X[m] * S[m+1] + SPY[m]"],
      "division",
    ],
    [
      "a power of what runs, which is not zero on the way",
      followFactor,
      `S[m=0] = 1\nS[m+1] = S[m] + square(H[m])\nY = X[m] * rsqrt(S[M])${stop}`,
      ["SPY[m] = RY[m] * rsqrt(S[m+1]) / rsqrt(S[m]) @accumulator", "RY[m+1] = X[m] * rsqrt(S[m+1]) + SPY[m]"],
      null,
    ],
    [
      "a covariance",
      runAboutMean,
      "A = X[k]\nB = Y[k]\nMA = A / K\nMB = B / K\nC = (X[k] - MA) * (Y[k] - MB)",
      ["RC[k+1] = RC[k] + DC[k] * (Y[k] - RMB[k+1])"],
      null,
    ],
    [
      "a covariance of products that have a name",
      runAboutMean,
      "A = X[k]\nB = Y[k]\nMA = A / K\nMB = B / K\nD[k] = (X[k] - MA) * (Y[k] - MB)\nC = D[k]",
      ["RC[k+1] = RC[k] + DC[k] * (Y[k] - RMB[k+1])"],
      null,
    ],
    [
      "a product with one difference from a mean",
      runAboutMean,
      "A = X[k]\nMA = A / K\nC = (X[k] - MA) * Y[k]",
      ["RC[k+1] = RC[k] + DC[k] * (Y[k] - MC[k+1])"],
      null,
    ],
    [
      "a variance with weights of either sign",
      runAboutMean,
      "SW = W[k]\nSX = W[k] * X[k]\nC = SX / SW\nI = W[k] * square(X[k] - C)",
      ["RI[k+1] = RI[k] + W[k] * DI[k] * (X[k] - RC[k+1])"],
      "division",
    ],
    [
      "a variance with other weights for each row",
      runAboutMean,
      "SW[q] = W[q,k]\nSX[q] = W[q,k] * X[k]\nC[q] = SX[q] / SW[q]\nI[q] = W[q,k] * square(X[k] - C[q])",
      ["WS[k=0,q] = 0", "RI[k+1,q] = RI[k,q] + W[q,k] * DI[k,q] * (X[k] - RC[k+1,q])"],
      "division",
    ],
    [
      "products with an exponential of what is late, which stays whole",
      recombineSums,
      "S = X[k]\nE[k] = exp(X[k] - S)\nY = E[k] * (W[k] + S)",
      ["YS = E[k] * W[k]", "YSS = E[k]", "Y = YS + S * YSS"],
      "cancellation",
    ],
    [
      "a difference inside an exponential",
      inlineWork,
      "G = X[m] :: max(m)\nC[m] = X[m] - G\nN[m] = exp(C[m])",
      ["N[m] = exp(X[m] - G)"],
      null,
    ],
    [
      "scores that two passes read",
      recompute("M"),
      `T[m] = X[m] * W[m]\n${softmax.replaceAll("X[m]", "T[m]")}`,
      ["TS[m] = X[m] * W[m]", "N[m] = exp(TS[m] - G)"],
      null,
    ],
  ])("%s", (_what, law, text, lines, caution) => {
    const given = parseCascade(text);
    const [rewrite] = law.apply(given).rewrites;
    expect(rewrite?.caution).toBe(caution);
    const written = rewrite?.cascade.einsums.map(einsum => einsum.text) ?? [];
    expect(written).toEqual(expect.arrayContaining(lines));
    if (rewrite === undefined || caution !== null) return;
    // Of outputs that were read before nothing is left to compare but the last.
    expect(compareCascades(given, rewrite.cascade, { trials: 2 }).firstDiffering?.name).toBeUndefined();
  });
});

describe("what a law leaves alone", () => {
  it.each<[string, Law, string, RegExp | null]>([
    [
      "the extremum of a product with a factor of unknown sign",
      deferPastExtremum,
      "S = X[k]\nY = X[k] * S :: max(k)",
      null,
    ],
    ["an extremum of what neither rises nor falls", deferPastExtremum, "S = X[k]\nY = abs(X[k] - S) :: max(k)", null],
    [
      "what a correction of a function that is no exponential would be",
      correctRunningSum,
      `${sums}Y = X[m] * sigmoid(S[M] - S[m+1])${stop}`,
      null,
    ],
    ["a filtered extremum", deferPastExtremum, "S = X[k]\nY[i] = X[k: k<=i] + S :: max(k)", /filter/],
    ["a product of sums", splitSum, "A = square(X[k])\nY = square(X[k]) / A + square(W[k]) / A :: *(k)", /one sum/],
    ["what waits for nothing", splitSum, "Y = X[k] * 2 + W[k] * 3", null],
    [
      "weights in tiles",
      mergeTiles,
      "ranks: K = K1 * K0\nSW = W[k1*K0+k0]\nSX = W[k1*K0+k0] * X[k1*K0+k0]\nC = SX / SW\nI = W[k1*K0+k0] * square(X[k1*K0+k0] - C)",
      /weighted/,
    ],
    [
      "a mean with other weights",
      runAboutMean,
      "SW = W[k]\nSX = W[k] * X[k]\nC = SX / SW\nI = V[k] * square(X[k] - C)",
      /weighted alike/,
    ],
    [
      "a sum about a mean of which the largest is taken",
      runAboutMean,
      "S = X[k,j]\nC = S / (K * J)\nY = square(X[k,j] - C) :: +(k) :: max(j)",
      null,
    ],
    [
      "what is taken from something that is the largest of sums",
      mergeTiles,
      "ranks: K = K1 * K0\nS = X[k1*K0+k0] :: +(k0) :: max(k1)\nC = S / K\nY = square(X[k1*K0+k0] - C)",
      /not the mean/,
    ],
    ["what is inlined through a rounding", inlineWork, "C[m] = X[m] - B[m] @operand\nN[m] = exp(C[m])", /rounded/],
    [
      "a filtered sum that two passes read",
      recompute("I"),
      "T[i] = X[k: k<=i]\nG = T[i] :: max(i)\nN[i] = exp(T[i] - G)",
      /filtered/,
    ],
    [
      "an iteration that two passes read",
      recompute("M"),
      `${sums}G = S[m+1] :: max(m)\nN[m] = exp(S[m+1] - G)${stop}`,
      /iterates/,
    ],
  ])("%s", (_what, law, text, reason) => {
    const { rewrites, refusals } = law.apply(parseCascade(text));
    expect(rewrites).toEqual([]);
    if (reason !== null) expect(refusals[0]?.reason).toMatch(reason);
  });
});

describe("what has to be remembered of half a fiber", () => {
  const along = (name: string, rank: string) => {
    const cascade = loadCascade(name);
    const own = cascade.ranks.byName(rank);
    if (own === undefined) throw new Error(`no rank ${rank}`);
    return [rememberedOf(cascade, own, 6)?.numbers, needsWholeFiber(cascade, own)?.numbers ?? null];
  };
  it.each<[string, string, [number, number | null]]>([
    ["log-sum-exp", "M", [1, null]],
    ["variance-two-pass", "K", [1, null]],
    ["attention-3-pass", "M", [2, null]],
    ["linear-attention", "M", [2, null]],
    ["value-at-maximum", "K", [1, null]],
    ["softmax", "M", [6, 12]],
    ["layer-norm", "D", [6, 12]],
    ["mean-absolute-deviation", "K", [6, 12]],
  ])("%s over %s", (name, rank, expected) => {
    expect(along(name, rank)).toEqual(expected);
  });

  it("is not measured along what is split, or where sizes contradict", () => {
    expect(along("attention-1-pass", "M")).toEqual([undefined, null]);
    const pairs = parseCascade("inputs: X[k]\nL[i,k] = relu(X[i] - X[k])\nN[i] = L[i,k]\nY = N[i] :: max(i)");
    const rank = pairs.ranks.byName("K");
    expect(rank === undefined ? undefined : rememberedOf(pairs, rank, 6)).toBeNull();
  });
});
