import { describe, expect, it } from "vitest";
import { processorSeconds } from "../../bench/processor-time.js";
import { barriersOf } from "../../src/einsum/barriers.js";
import { type Cascade, parseCascade } from "../../src/einsum/cascade.js";
import { footprintsOf } from "../../src/einsum/footprint.js";
import { passesOver } from "../../src/einsum/passes.js";
import { loadCascade } from "../../src/io/cascade-files.js";

function analyse(cascade: Cascade, rankName: string) {
  const rank = cascade.ranks.byName(rankName);
  if (rank === undefined) throw new Error(`no rank ${rankName}`);
  const analysis = passesOver(cascade, rank);
  const barriers = barriersOf(cascade, analysis);
  return { ...analysis, barriers, footprints: footprintsOf(cascade, analysis, barriers) };
}

const text = (...lines: readonly string[]): Cascade => parseCascade(lines.join("\n"), "test");
const passes = (cascade: Cascade, rank: string): number => analyse(cascade, rank).passes;

describe("the library (FuseMax section III and IV)", () => {
  it.each([
    ["cascade-1", "K", 2],
    ["cascade-2", "K", 1],
    ["cascade-3", "K", 1],
    ["cascade-3", "I", 1],
    ["attention-3-pass", "M", 3],
    ["attention-3-pass-deferred", "M", 2],
    ["attention-2-pass", "M1", 2],
    ["attention-2-pass", "M", 2],
    ["attention-1-pass", "M1", 1],
    ["attention-1-pass", "M0", 2],
    ["attention-1-pass", "M", 1],
    ["attention-1-pass", "P", 1],
    ["softmax", "M", 3],
    ["variance-two-pass", "K", 2],
    ["variance-welford", "K", 1],
    ["layer-norm", "D", 3],
    ["rms-norm-product", "D", 2],
    ["rms-norm-product-deferred", "D", 1],
    ["log-sum-exp", "M", 2],
    ["sigmoid-attention", "M", 1],
    ["linear-attention", "M", 1],
  ])("%s makes over %s %i passes", (name, rank, expected) => {
    expect(passes(loadCascade(name), rank)).toBe(expected);
  });
});

describe("stages and passes", () => {
  it.each([
    ["stages without a re-read", ["S = A[k]", "T = B[k]*S", "U = C[k]*T"], 1, 3],
    ["prefix sums used element by element", ["S[i] = A[k: k<=i]", "Z[i] = S[i]*A[i]"], 1, 1],
    ["prefix sums without the element itself", ["S[i] = A[k: k<i]", "Z[i] = S[i]*A[i]"], 1, 1],
    ["prefix sums of J elements before", ["S[i] = A[k: k<=i]", "Z[i] = A[i]*S[i-J]*C[j]"], 1, 1],
    ["prefix sums of J elements on, which may be the last", ["S[i] = A[k: k<=i]", "Z[i] = A[i]*S[i+J]*C[j]"], 2, 2],
    [
      "prefix sums of as many elements before as J lacks of I",
      ["S[i] = A[k: k<=i]", "Z[i] = A[i]*S[i+J-I]*C[j]"],
      2,
      2,
    ],
    ["prefix written the other way round", ["S[i] = A[k: i>=k]", "Z[i] = S[i]*A[i]"], 1, 1],
    ["suffix sums", ["S[i] = A[k: k>=i]", "Z[i] = S[i]*A[i]"], 2, 2],
    ["suffix sums with another tensor", ["S[i] = A[k: k>=i]", "Z[i] = S[i]*B[i]"], 1, 2],
    ["the total of prefix sums", ["S[i] = A[k: k<=i]", "T = S[i]", "Z[i] = A[i]*T"], 2, 2],
    ["the last prefix sum", ["S[i] = A[k: k<=i]", "Z[i] = A[i]*S[K-1]"], 2, 2],
    ["the last prefix sum, in other words", ["S[i] = A[k: k<=i]", "Z[i] = A[i]*S[-1+K]"], 2, 2],
    ["twice the last, which is none", ["S[i] = A[k: k<=i]", "Z[i] = A[i]*S[2*K-1]"], 1, 1],
    ["the last of a shorter rank", ["S[i] = A[k: k<=i]", "Z[i] = A[i]*C[j]*S[J-1]"], 1, 1],
    [
      "two filters, one of which keeps the element",
      ["ranks: I = K", "ranks: J = K", "S[i] = A[k: k==i]*B[j: j<=i]", "Z[i] = S[i]*A[i]"],
      1,
      1,
    ],
    [
      "what an iteration leaves, on a line before its steps",
      ["R[k=0] = 0", "Z[k] = A[k]*R[K]", "R[k+1] = R[k]+A[k]", "until: k >= K"],
      2,
      2,
    ],
    ["the first element", ["Z[k] = A[k]*A[0]"], 1, 1],
    ["a re-read behind an Einsum of its own", ["T = D[k]", "U[k] = C[k]*T", "V = U[k]*D[k]"], 2, 2],
    ["re-reads that overlap but do not chain", ["S = A[k]", "T = B[k]*S", "U = A[k]*T", "V = B[k]*U"], 2, 4],
    ["re-reads that chain", ["S = A[k]", "T = A[k]*S", "U = A[k]*T", "V = A[k]*U"], 4, 4],
    ["a copy is the same data", ["C[k] = A[k]", "S = C[k]", "Z = A[k]*S"], 2, 2],
    ["two copies are the same data", ["C[k] = A[k]", "D[k] = 2*A[k]", "S = C[k]", "Z = D[k]*S"], 2, 2],
    ["other data is no re-read", ["S = A[k]", "Z = B[k]*S"], 1, 2],
    ["a reduction by max", ["S = A[k] :: max(k)", "Z[k] = A[k]-S"], 2, 2],
    ["a rank under another variable", ["S = A[k]", "Z[j] = A[j]*S"], 2, 2],
    ["one Einsum that reads a fiber twice", ["Z = A[k]*A[j]"], 1, 1],
    ["a broadcast reads nothing", ["S = A[k]", "B[k] = S", "T = B[k]"], 1, 2],
    ["scalars in between", ["S = A[k]", "T = S*2", "U = T+1", "Z[k] = A[k]*U"], 2, 2],
  ])("%s", (_what, lines, expectedPasses, expectedStages) => {
    const { passes: found, stages } = analyse(text(...lines), "K");
    expect([found, stages]).toEqual([expectedPasses, expectedStages]);
  });

  it("a last coordinate finishes the iteration, and its reader may range over the rank again", () => {
    const online = ["Initialization:", "RM[k=0] = -inf", "RD[k=0] = 0", "Extended Einsums:"];
    const steps = ["RM[k+1] = max(RM[k], X[k])", "RD[k+1] = RD[k]*exp(RM[k]-RM[k+1]) + exp(X[k]-RM[k+1])"];
    const twoPasses = text(...online, ...steps, "Y[k] = exp(X[k]-RM[K])/RD[K]", "until: k >= K");
    expect(passes(twoPasses, "K")).toBe(2);
    expect(passes(text(...online, ...steps, "Y = RM[K] + log(RD[K])", "until: k >= K"), "K")).toBe(1);
  });

  it("the running value itself counts as data of the fiber", () => {
    const cdf = text("S[i=0] = 0", "S[i+1] = S[i] + A[i]", "Z[i] = S[i+1] / S[K]", "until: i >= K");
    expect(passes(cdf, "K")).toBe(2);
  });

  it("what the first step does not need is needed by no fiber's first element", () => {
    // R[1] needs T, R[0] does not: Y may read A[0] at once.
    const lines = ["T = A[k]", "R[k=0] = 0", "R[k+1] = R[k] + B[k]*T", "Y[k] = R[k]*A[k]", "until: k >= K"];
    expect(passes(text(...lines), "K")).toBe(1);
    expect(passes(text(...lines.map(l => l.replace("Y[k] = R[k]", "Y[k] = R[k+1]"))), "K")).toBe(2);
  });

  it("a split rank is passed only where all of its parts are", () => {
    const split = ["ranks: M = M1 * M0", "B[m1,m0] = A[m1*M0+m0]"];
    const columns = text(...split, "S[m0] = B[m1,m0]", "Z[m1,m0] = B[m1,m0]*S[m0]");
    expect([passes(columns, "M"), passes(columns, "M1"), passes(columns, "M0")]).toEqual([1, 2, 1]);
    const rows = text(...split, "S[m1] = B[m1,m0]", "T = S[m1]", "Z[m1,m0] = B[m1,m0]*T");
    expect([passes(rows, "M"), passes(rows, "M1"), passes(rows, "M0")]).toEqual([2, 2, 2]);
    const both = text(...split, "S[m1] = B[m1,m0]", "T[m0] = B[m1,m0]", "Z[m1,m0] = B[m1,m0]*S[m1]*T[m0]");
    expect(passes(both, "M")).toBe(1);
    const unsplit = text(...split, "S = A[m]", "Z[m1,m0] = B[m1,m0]*S");
    expect([passes(unsplit, "M"), passes(unsplit, "M1"), passes(unsplit, "M0")]).toEqual([2, 2, 2]);
  });

  it("causal scores: the filter ties no ranks, for the tensor has both", () => {
    const causal = text(
      "QK[m,p] = Q[e,p]*K[e,m]",
      "GM[p] = QK[m: m<=p, p] :: max(m)",
      "SN[m,p] = exp(QK[m: m<=p, p] - GM[p])",
      "SD[p] = SN[m: m<=p, p]",
      "AV[f,p] = SN[m: m<=p, p]*V[f,m]/SD[p]",
    );
    expect([passes(causal, "M"), passes(causal, "P")]).toEqual([3, 1]);
  });

  it("passes within an iteration over another rank are counted per step", () => {
    const means = text("C[t=0] = 0", "W[t,n] = X[n] - C[t]", "C[t+1] = W[t,n]*X[n]", "until: t >= 8");
    const analysis = analyse(means, "N");
    expect([analysis.passes, analysis.perIterationOf]).toEqual([1, ["T"]]);
    expect(analyse(loadCascade("attention-1-pass"), "M0").perIterationOf).toEqual(["M1"]);
  });

  it("an iteration that reads a whole fiber in every step is counted per step", () => {
    const nested = text(
      "R[i=0] = 1",
      "S[i] = R[i]*A[j]",
      "R[i+1] = S[i]+A[i]",
      "Z = R[K]",
      "until: i >= K",
      "ranks: J = K",
    );
    const analysis = analyse(nested, "K");
    expect([analysis.passes, analysis.perIterationOf]).toEqual([2, ["K"]]);
  });

  it.each([
    ["an element of it: no", "m0", "B[m1,m0]", []],
    ["all of it", "m0", "B[m1,j]", ["M0"]],
    ["an element of the other part", "m1", "B[m1,m0]", []],
    ["all of the other part", "m1", "B[i,m0]", ["M1"]],
  ])("an iteration over a part of a split rank is counted per step where a step reads %s", (_, at, read, perStep) => {
    const lines = [
      ...["inputs: A[m]", "ranks: M = M1 * M0", `ranks: ${at === "m0" ? "J = M0" : "I = M1"}`],
      "B[m1,m0] = A[m1*M0+m0]",
      ...[`R[${at}=0] = 0`, `S[${at}] = R[${at}]*${read}`, `R[${at}+1] = S[${at}]+1`, `Z = R[${at.toUpperCase()}]`],
      `until: ${at} >= ${at.toUpperCase()}`,
    ];
    expect(analyse(text(...lines), "M").perIterationOf).toEqual(perStep);
  });

  it.each([
    ["k==i", 1],
    ["i==k", 1],
    ["k>=i", 2],
  ])("a filter %s leaves the element that is kept, or a fiber", (filter, expected) => {
    expect(passes(text(`S[i] = A[k: ${filter}]`, "Z[i] = S[i]*A[i]", "ranks: I = K"), "K")).toBe(expected);
  });

  it("a transposed read is of another place, so of other fibers", () => {
    expect(passes(text("S[i] = A[i,k]", "Z[i] = A[k,i]*S[k]"), "K")).toBe(1);
    expect(passes(text("S[i] = A[i,k]", "Z[i] = A[i,k]*S[i]"), "K")).toBe(2);
  });
});

describe("an iteration whose lines hold each other up", () => {
  it("takes what a later line makes into the next step of an earlier one", () => {
    const lines = ["G = A[k] :: max(k)", "R[k=0] = 0", "S[k=0] = 0", "R[k+1] = R[k]+S[k]", "S[k+1] = S[k]+R[k]*A[k]*G"];
    const { einsums, passes: found } = analyse(text(...lines, "until: k >= K"), "K");
    // S reads A again, after G; so does R, which comes before S in the text and after it in time.
    expect([einsums[3], einsums[4], found]).toMatchObject([{ pass: 2, stage: 2 }, { pass: 2, stage: 2 }, 2]);
  });

  it("takes it through as many lines as there are", () => {
    const carried = ["R", "S", "T", "U"].map((name, i, all) => `${name}[k+1] = ${name}[k]+${all[i + 1] ?? "B"}[k]`);
    const starts = ["R", "S", "T", "U"].map(name => `${name}[k=0] = 0`);
    const lines = ["G = A[k] :: max(k)", ...starts, "B[k=0] = 0", ...carried, "B[k+1] = B[k]+R[k]*A[k]*G"];
    const { einsums } = analyse(text(...lines, "until: k >= K"), "K");
    expect(einsums.slice(6).map(({ pass, stage }) => [pass, stage])).toEqual(Array.from({ length: 5 }, () => [2, 2]));
  });
});

describe("barriers and footprints", () => {
  it("says why in words", () => {
    const { barriers } = analyse(loadCascade("attention-3-pass"), "M");
    expect(barriers.map(b => b.why)).toEqual([
      "SN reads QK[:,p] after GM[p] has read all of it",
      "A reads SN[:,p] after SD[p] has read all of it",
    ]);
  });

  it("names the way from one to the other where it has steps", () => {
    const why = (lines: readonly string[]): string[] => analyse(text(...lines), "K").barriers.map(b => b.why);
    expect(why(["T = D[k]", "U[k] = C[k]*T", "V = U[k]*D[k]"])).toEqual([
      "U needs T, which has read all of D[:], before its first element",
      "V reads D[:] after T has read all of it (T -> U -> V)",
    ]);
    expect(why(["C[k] = A[k]", "D[k] = 2*A[k]", "S = C[k]", "Z = D[k]*S"])).toEqual([
      "Z reads D[:] after S has read all of C[:], and both come from A",
    ]);
    expect(why(["R[k=0] = 0", "R[k+1] = R[k]+A[k]", "Z[k] = A[k]*R[K]", "until: k >= K"])).toEqual([
      "Z reads A[:] after R[K] has read all of it",
    ]);
  });

  it.each([
    ["attention-3-pass", "M", ["QK", "SN"]],
    ["attention-3-pass-deferred", "M", ["QK"]],
    ["attention-2-pass", "M1", ["LM", "SLN", "SLD"]],
    ["attention-1-pass", "M1", []],
    ["attention-1-pass", "M0", ["BQK"]],
    ["layer-norm", "D", ["C", "X"]],
    ["rms-norm-product", "D", ["X"]],
    ["cascade-1", "K", ["A"]],
    ["variance-welford", "K", []],
  ])("%s keeps whole fibers of %s", (name, rank, tensors) => {
    const { footprints } = analyse(loadCascade(name), rank);
    expect(footprints.map(f => f.tensor)).toEqual(tensors);
    expect(footprints.every(f => f.elements === rank && f.bytes === null)).toBe(true);
  });

  it.each([3, 31, 32, 33, 63, 64, 70])("finds the tensor that both come from among %i and more", n => {
    const others = Array.from({ length: n }, (_, i) => `T${i} = A${i}[k]`);
    const last = `A${n}`;
    const lines = [`C[k] = ${last}[k]`, `D[k] = 2*${last}[k]`, "S = C[k]", "Z = D[k]*S"];
    const { barriers } = analyse(text(...others, ...lines), "K");
    expect(barriers.map(({ why }) => why)).toEqual([
      `Z reads D[:] after S has read all of C[:], and both come from ${last}`,
    ]);
  });

  it("asks for one tensor that all of what is read comes from, not for one of each", () => {
    // S needs both A and B whole, Z reads what comes from B and C: B is what is read again.
    const lines = ["X[k] = A[k]*B[k]", "Y[k] = B[k]*C[k]", "S = X[k]", "Z = Y[k]*S"];
    expect(passes(text(...lines), "K")).toBe(2);
    expect(analyse(text(...lines), "K").barriers.map(({ why }) => why)).toEqual([
      "Z reads Y[:] after S has read all of X[:], and both come from B",
    ]);
    expect(passes(text("X[k] = A[k]*B[k]", "Y[k] = C[k]*D[k]", "S = X[k]", "Z = Y[k]*S"), "K")).toBe(1);
  });

  it("lists a chain of a hundred passes once each", () => {
    const lines = ["S0 = A[k]", ...Array.from({ length: 99 }, (_, i) => `S${i + 1} = A[k]*S${i}`)];
    const { passes: found, barriers, footprints } = analyse(text(...lines), "K");
    expect([found, barriers.length, footprints.length]).toEqual([100, 99, 1]);
  });
});

describe("speed", () => {
  it("analyses 200 Einsums over every rank in under 100 ms", () => {
    const lines = ["QK0[m,p] = Q[e,p]*K[e,m]"];
    for (let i = 0; lines.length < 197; i += 4) {
      lines.push(`G${i}[p] = QK${i}[m,p] :: max(m)`, `S${i}[m,p] = exp(QK${i}[m,p]-G${i}[p])`);
      lines.push(`D${i}[p] = S${i}[m,p]`, `QK${i + 4}[m,p] = S${i}[m,p]/D${i}[p] + QK0[m,p]`);
    }
    lines.push("X[p] = QK0[m,p]", "Y[m] = QK0[m,p]", "Z[m,p] = QK0[m,p]*X[p]*Y[m]");
    const source = lines.join("\n");
    // The least of a few runs.
    const once = (): number => {
      const began = process.cpuUsage();
      const cascade = parseCascade(source);
      for (const { name } of cascade.ranks.ranks) analyse(cascade, name);
      return processorSeconds(began);
    };
    expect(lines.length).toBeGreaterThanOrEqual(200);
    expect(Math.min(...Array.from({ length: 20 }, once))).toBeLessThan(0.1);
  });
});
