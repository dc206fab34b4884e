import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Cascade, parseCascade } from "../../../src/einsum/cascade.js";
import { derivationChecker } from "../../../src/einsum/derive/check.js";
import { nameTerms } from "../../../src/einsum/derive/name-terms.js";
import { runAboutMean } from "../../../src/einsum/derive/run-about-mean.js";
import { runningExtremum, runningSum } from "../../../src/einsum/derive/run-reduction.js";
import { deriveOver, type SearchOptions } from "../../../src/einsum/derive/search.js";
import { compareCascades } from "../../../src/einsum/equal.js";
import { structureOf } from "../../../src/emulator/one-pass.js";
import { loadCascade } from "../../../src/io/cascade-files.js";
import { formatNames } from "../../../src/numerics/format.js";
import { randomCascade } from "../random-cascade.js";

async function derived(cascade: Cascade, name: string, options: SearchOptions = {}) {
  const rank = cascade.ranks.byName(name);
  if (rank === undefined) throw new Error(`no rank ${name}`);
  const found = await derivationChecker()(await deriveOver(cascade, rank, options));
  for (const { steps, equal, cautions } of found.answers) {
    const passes = steps.map(({ measure }) => measure.passes);
    for (const [i, now] of passes.entries()) expect(now).toBeLessThanOrEqual(passes[i - 1] ?? now);
    expect(steps.slice(1).every(({ check }) => check?.differs === null)).toBe(equal);
    if (!equal) expect(cautions.map(({ caution }) => caution)).toContain("cancellation");
  }
  const last = found.answers[0]?.last ?? found.given;
  return { found, best: last.cascade, last, passes: [found.given.measure.passes, last.measure.passes] };
}

/** Nothing is looked at beyond the plans. */
const alongPlans = { budget: 1 };

const scores = "inputs: Q[e,p], K[e,m], V[f,m]\nQK[m,p] = Q[e,p] * K[e,m]\n";

describe("deriving", () => {
  it("makes Cascade 5 of the 3-pass cascade: the same bits in every arithmetic, and nothing live", async () => {
    const { best, passes, found, last } = await derived(loadCascade("attention-3-pass"), "M");
    expect(passes).toEqual([3, 1]);
    expect(found.complete).toBe(true);
    expect(last.measure.live).toEqual([]);
    const five = loadCascade("attention-1-pass");
    for (const format of ["float64", ...formatNames] as const) {
      const report = compareCascades(five, best, { tolerance: 0, format, trials: 4 });
      const cases = report.cases.filter(({ difference }) => difference !== null);
      expect(cases.length).toBeGreaterThan(10);
      expect([format, cases.every(({ equal }) => equal)]).toEqual([format, true]);
    }
    expect(best.headers.get("roles")).toBe(five.headers.get("roles"));
    const running = (cascade: Cascade) => cascade.einsums.filter(({ iteration }) => iteration?.role === "step").length;
    expect(running(best)).toBe(running(five));
    expect(structureOf(best)).toContain("@factor");
  });

  it("makes one pass of log-sum-exp, and two of softmax, whose denominator takes one", async () => {
    const sum = await derived(loadCascade("log-sum-exp"), "M");
    expect([sum.passes, sum.last.measure.live]).toEqual([[2, 1], []]);
    expect((await derived(loadCascade("softmax"), "M")).passes).toEqual([3, 2]);
  });

  it.each([
    ["cascade-1", "K", [2, 1]],
    ["rms-norm-product", "D", [2, 1]],
    ["attention-2-pass", "M", [2, 1]],
    ["variance-two-pass", "K", [2, 1]],
    ["layer-norm", "D", [3, 2]],
  ] as const)(
    "lowers the passes of %s",
    async (name, rank, expected) => {
      expect((await derived(loadCascade(name), rank, alongPlans)).passes).toEqual(expected);
    },
    30_000,
  );

  const softmax = "GM[p] = QK[m,p] :: max(m)\nSN[m,p] = exp(QK[m,p] - GM[p])\nSD[p] = SN[m,p]\n";
  it.each([
    [
      "a sink",
      `${scores}${softmax}D[p] = SD[p] + exp(S - GM[p])\nAV[f,p] = SN[m,p] / D[p] * V[f,m]`.replace(
        "V[f,m]\n",
        "V[f,m], S\n",
      ),
    ],
    [
      "a temperature",
      `${scores}${softmax.replace("exp(QK[m,p] - GM[p])", "exp((QK[m,p] - GM[p]) / 3)")}AV[f,p] = SN[m,p] / SD[p] * V[f,m]`,
    ],
    [
      "a bias",
      `inputs: Q[e,p], K[e,m], V[f,m], B[m,p]\nR[m,p] = Q[e,p] * K[e,m]\nQK[m,p] = R[m,p] + B[m,p]\n${softmax}AV[f,p] = SN[m,p] / SD[p] * V[f,m]`,
    ],
    [
      "a sum of squares",
      `GM = X[m] :: max(m)\nSN[m] = exp(X[m] - GM)\nSD = SN[m]\nA[m] = SN[m] / SD\nY = square(A[m])`,
    ],
  ])(
    "makes one pass of softmax with %s",
    async (_what, text) => {
      const { passes } = await derived(parseCascade(text), "M", alongPlans);
      expect(passes).toEqual([3, 1]);
    },
    30_000,
  );

  it("says that no fewer passes are found where none are", async () => {
    const { found, passes } = await derived(loadCascade("attention-1-pass"), "M0");
    expect([passes, found.answers, found.complete]).toEqual([[2, 2], [], true]);
  });

  it("ends with the best so far when it is told to", async () => {
    const cascade = loadCascade("attention-3-pass");
    const rank = cascade.ranks.byName("M");
    if (rank === undefined) throw new Error("no rank");
    const found = await deriveOver(cascade, rank, { onCascade: async looked => looked < 20 });
    expect(found.complete).toBe(false);
    expect(found.answers[0]?.steps.at(-1)?.measure.passes).toBe(2);
    // The best so far, whose passes fall by one at a time.
    const told: number[] = [];
    await deriveOver(cascade, rank, {
      onCascade: async (_looked, { passes }) => {
        if (told.at(-1) !== passes) told.push(passes);
        return passes > 1;
      },
    });
    expect(told).toEqual([2, 1]);
  });
});

describe("a running sum of squares about a running mean", () => {
  it("is Welford's", async () => {
    const { best } = await derived(loadCascade("variance-two-pass"), "K");
    expect(compareCascades(best, loadCascade("variance-welford"), { tolerance: 0 }).equal).toBe(true);
  });

  it.each([
    ["the mean of something else", "S = A[k]\nC = S / K\nY = square(B[k] - C)", /not the mean/],
    ["a sum over another number", "S = A[k]\nC = S / 3\nY = square(A[k] - C)", /not the mean/],
    ["the sum of a part", "S = A[k] :: max(k)\nC = S / K\nY = square(A[k] - C)", /not the mean/],
    ["a stop before the end", "S = A[k]\nC = S / K\nY = square(A[k] - C)\nuntil: k >= K-1", /stop before/],
  ])("is refused for %s", (_what, text, reason) => {
    const { rewrites, refusals } = runAboutMean.apply(parseCascade(text));
    expect(rewrites).toEqual([]);
    expect(refusals[0]?.reason).toMatch(reason);
  });
});

describe("the laws of running reductions", () => {
  it("keep the function of random cascades", () => {
    let [tried, applied] = [0, 0];
    fc.assert(
      fc.property(randomCascade(7), text => {
        tried += 1;
        const cascade = parseCascade(text);
        for (const law of [runningExtremum, runningSum, nameTerms]) {
          for (const { cascade: rewritten } of law.apply(cascade).rewrites) {
            applied += 1;
            const report = compareCascades(cascade, rewritten, { trials: 2 });
            // Inputs from which a cascade computes nothing finite tell nothing.
            const differing = report.cases.filter(
              ({ equal, difference }) =>
                !equal && difference !== null && Number.isFinite(difference.relative) && difference.relative > 1e-6,
            );
            expect(differing, `${law.name}\n${text}\n${rewritten.source.lines.join("\n")}`).toEqual([]);
          }
        }
      }),
      { numRuns: 100, seed: 17 },
    );
    expect(applied).toBeGreaterThan(0.4 * tried - 10);
  });
});
