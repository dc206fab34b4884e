import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Cascade, parseCascade } from "../../../src/einsum/cascade.js";
import { derivationChecker } from "../../../src/einsum/derive/check.js";
import { nameTerms } from "../../../src/einsum/derive/name-terms.js";
import { runAboutMean } from "../../../src/einsum/derive/run-about-mean.js";
import { runningExtremum, runningSum } from "../../../src/einsum/derive/run-reduction.js";
import { deriveOver, keepsOutputs, lawsFor } from "../../../src/einsum/derive/search.js";
import { compareCascades } from "../../../src/einsum/equal.js";
import { structureOf } from "../../../src/emulator/one-pass.js";
import { loadCascade } from "../../../src/io/cascade-files.js";
import { formatNames } from "../../../src/numerics/format.js";
import { randomCascade } from "../random-cascade.js";

async function derived(cascade: Cascade, name: string) {
  const rank = cascade.ranks.byName(name);
  if (rank === undefined) throw new Error(`no rank ${name}`);
  const found = derivationChecker()(await deriveOver(cascade, rank));
  expect(found.refuted).toBeNull();
  const passes = found.steps.map(({ measure }) => measure.passes);
  for (const [i, now] of passes.entries()) expect(now).toBeLessThanOrEqual(passes[i - 1] ?? now);
  const best = found.steps.at(-1)?.cascade;
  if (best === undefined) throw new Error("no step");
  return { found, best, passes: [passes[0], passes.at(-1)] };
}

const scores = "inputs: Q[e,p], K[e,m], V[f,m]\nQK[m,p] = Q[e,p] * K[e,m]\n";

describe("deriving", () => {
  it("makes Cascade 5 of the 3-pass cascade: the same bits in every arithmetic, and nothing live", async () => {
    const { best, passes, found } = await derived(loadCascade("attention-3-pass"), "M");
    expect(passes).toEqual([3, 1]);
    expect(found.complete).toBe(true);
    expect(found.steps.at(-1)?.measure.live).toEqual([]);
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
  }, 30_000);

  it("makes one pass of log-sum-exp, and two of softmax, whose denominator takes one", async () => {
    const sum = await derived(loadCascade("log-sum-exp"), "M");
    expect([sum.passes, sum.found.steps.at(-1)?.measure.live]).toEqual([[2, 1], []]);
    expect((await derived(loadCascade("softmax"), "M")).passes).toEqual([3, 2]);
  }, 30_000);

  it.each([
    ["cascade-1", "K", [2, 1]],
    ["rms-norm-product", "D", [2, 1]],
    ["attention-2-pass", "M", [2, 1]],
    ["variance-two-pass", "K", [2, 1]],
    ["layer-norm", "D", [3, 2]],
  ] as const)(
    "lowers the passes of %s",
    async (name, rank, expected) => {
      expect((await derived(loadCascade(name), rank)).passes).toEqual(expected);
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
      const { passes } = await derived(parseCascade(text), "M");
      expect(passes).toEqual([3, 1]);
    },
    30_000,
  );

  it("says that no fewer passes are found where none are", async () => {
    const { found, passes } = await derived(loadCascade("attention-1-pass"), "M0");
    expect([passes, found.steps.length, found.complete]).toEqual([[2, 2], 1, true]);
  });

  it("ends with the best so far when it is told to", async () => {
    const cascade = loadCascade("attention-3-pass");
    const rank = cascade.ranks.byName("M");
    if (rank === undefined) throw new Error("no rank");
    const found = await deriveOver(cascade, rank, { onCascade: async seen => seen < 20 });
    expect([found.complete, found.seen]).toEqual([false, 20]);
    expect(found.steps.at(-1)?.measure.passes).toBe(2);
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
    let applied = 0;
    fc.assert(
      fc.property(randomCascade(7), text => {
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
      { numRuns: 300, seed: 17 },
    );
    expect(applied).toBeGreaterThan(100);
  });
});

/** Reductions of exponentials against an extremum, and of squares about a mean, of random terms. */
const randomReductions = fc
  .record({
    terms: fc.constantFrom("X[m]", "X[m] + B[m]", "X[m] * B[m] / 4", "max(X[m], B[m])"),
    extremum: fc.constantFrom(["max", ""], ["max", " / 3"], ["min", " * -0.5"]),
    sums: fc.array(
      fc.constantFrom("W[m]", "W[m] * B[m]", "square(W[m])", "W[m] / 2 * C[m]", "exp(neg(abs(B[m]))) * C[m]"),
      {
        minLength: 1,
        maxLength: 3,
      },
    ),
    mean: fc.boolean(),
  })
  .map(({ terms, extremum: [op, scale], sums, mean }) =>
    [
      `T[m] = ${terms}`,
      `G = T[m] :: ${op}(m)`,
      `W[m] = exp((T[m] - G)${scale})`,
      ...sums.map((sum, i) => `Y${i} = ${sum}`),
      ...(mean ? ["S = T[m]", "A = S / M", "D[m] = T[m] - A", "Q = square(D[m])"] : []),
    ].join("\n"),
  );

describe("every law of the search", () => {
  it("keeps the function along random walks, and each is taken", () => {
    const taken = new Set<string>();
    fc.assert(
      fc.property(randomReductions, fc.array(fc.nat(), { minLength: 8, maxLength: 8 }), (text, choices) => {
        const start = parseCascade(text);
        let cascade = start;
        for (const choice of choices) {
          const found = lawsFor("M").flatMap(law =>
            law
              .apply(cascade)
              .rewrites.filter(rewrite => keepsOutputs(start, rewrite.cascade))
              .map(rewrite => ({ law, rewrite })),
          );
          const next = found[choice % Math.max(1, found.length)];
          if (next === undefined) break;
          taken.add(next.law.name);
          cascade = next.rewrite.cascade;
        }
        const report = compareCascades(start, cascade, { trials: 2 });
        expect(report.firstDiffering?.name, cascade.source.lines.join("\n")).toBeUndefined();
      }),
      { numRuns: 250, seed: 17 },
    );
    expect(lawsFor("M").filter(({ name }) => !taken.has(name))).toEqual([]);
  });
});
