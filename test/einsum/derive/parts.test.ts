import { describe, expect, it } from "vitest";
import { type Cascade, parseCascade } from "../../../src/einsum/cascade.js";
import { derivationChecker } from "../../../src/einsum/derive/check.js";
import { chainOf, compareNodes, keepsOutputs, type Node, nodeOf } from "../../../src/einsum/derive/derivation.js";
import { freeName, freshName, replaceByIteration, withLine, withoutUnused } from "../../../src/einsum/derive/edit.js";
import { inlined, quotientOf, writerOf } from "../../../src/einsum/derive/factors.js";
import { isLate } from "../../../src/einsum/derive/late.js";
import { type Law, lawResult } from "../../../src/einsum/derive/law.js";
import { compareMeasures, measureOf } from "../../../src/einsum/derive/measure.js";
import { expand, noAlgebra, sameTerms, sumOf } from "../../../src/einsum/derive/normal-form.js";
import { rememberedOf } from "../../../src/einsum/derive/remember.js";
import { deriveOver } from "../../../src/einsum/derive/search.js";
import { Signatures } from "../../../src/einsum/derive/signature.js";
import { splitRank } from "../../../src/einsum/derive/split-rank.js";
import { titled } from "../../../src/einsum/derive/title.js";
import { accessesOf } from "../../../src/einsum/einsum.js";
import { formatExpression } from "../../../src/einsum/format-expression.js";

const cascadeOf = (...lines: readonly string[]): Cascade => parseCascade(lines.join("\n"), "mine");
const rankOf = (cascade: Cascade, name: string) => {
  const rank = cascade.ranks.byName(name);
  if (rank === undefined) throw new Error(`no rank ${name}`);
  return rank;
};

describe("signatures", () => {
  const signatures = new Signatures();
  const same = (a: Cascade, b: Cascade) => signatures.of(a) === signatures.of(b);
  const base = cascadeOf("T[k] = A[k] * B[k]", "U = T[k]", "V = A[k]", "Z = U + V");
  it.each<[boolean, string, Cascade]>([
    [true, "other names and another order", cascadeOf("W = A[k]", "X[k] = A[k] * B[k]", "Y = X[k]", "Z = Y + W")],
    [false, "another output besides", cascadeOf("T[k] = A[k] * B[k]", "U = T[k]", "V = A[k]", "Z = U + V", "Y = A[k]")],
    [false, "another input", cascadeOf("T[k] = A[k] * C[k]", "U = T[k]", "V = A[k]", "Z = U + V")],
    [false, "another operator", cascadeOf("T[k] = A[k] * B[k]", "U = T[k]", "V = A[k]", "Z = U - V")],
    [false, "operands the other way round", cascadeOf("T[k] = A[k] * B[k]", "U = T[k]", "V = A[k]", "Z = V + U")],
    [false, "another reduction", cascadeOf("T[k] = A[k] * B[k]", "U = T[k] :: max(k)", "V = A[k]", "Z = U + V")],
    [false, "an annotation", cascadeOf("T[k] = A[k] * B[k] @operand", "U = T[k]", "V = A[k]", "Z = U + V")],
    [false, "a filter", cascadeOf("T[k] = A[k] * B[k]", "U = T[k: k<=3]", "V = A[k]", "Z = U + V")],
  ])("are the same is %s for %s", (expected, _what, other) => {
    expect(same(base, other)).toBe(expected);
  });

  it("take an iteration for what it does, whatever its first coordinate is called", () => {
    const iteration = (start: string, value: string, step: string) =>
      cascadeOf(`${start} = ${value}`, `R[i+1] = ${step}`, "Z = R[I] * 2", "until: i >= I");
    expect(same(iteration("R[i=0]", "0", "R[i] + A[i]"), iteration("R[0]", "0", "R[i] + A[i]"))).toBe(true);
    expect(same(iteration("R[i=0]", "0", "R[i] + A[i]"), iteration("R[i=0]", "1", "R[i] + A[i]"))).toBe(false);
    expect(same(iteration("R[i=0]", "0", "R[i] + A[i]"), iteration("R[i=0]", "0", "R[i] * A[i]"))).toBe(false);
  });
});

describe("what an answer is called", () => {
  const step = (cascade: Cascade, passes = 1) => ({
    ...nodeOf(cascade, rankOf(cascade, "K")),
    measure: { ...measureOf(cascade, rankOf(cascade, "K")), passes },
  });
  it("is its passes over the rank, and where it comes from; other headers and comments stay", () => {
    const given = step(cascadeOf("# title: Mine", "# source: here", "# note: old", "# roles: out=Z", "", "Z = A[k]"));
    const lines = [
      "# Title: Mine",
      "#source : here",
      "# systems: none",
      "# roles: out=Z",
      "# said by someone",
      "",
      "Y = A[k]",
      "# note: within",
      "Z = Y",
    ];
    expect(titled(given, step(cascadeOf(...lines), 2), "K").source.lines).toEqual([
      ...["# title: Mine: 2 passes over K, derived", "# source: fusemax derive mine --rank K, from here"],
      ...["# roles: out=Z", "# said by someone", "", "Y = A[k]", "# note: within", "Z = Y"],
    ]);
    const plain = step(cascadeOf("Z = A[k]"));
    expect(titled(plain, plain, "K").source.lines).toEqual([
      "# title: mine: 1 pass over K, derived",
      "# source: fusemax derive mine --rank K",
      "Z = A[k]",
    ]);
  });
});

describe("outputs", () => {
  it("are kept where each is there with as many places", () => {
    const given = cascadeOf("Y[k] = A[k]", "Z = A[k]");
    expect(keepsOutputs(given, cascadeOf("Z = A[k] * 2", "Y[j] = A[j]", "X = A[k]"))).toBe(true);
    expect(keepsOutputs(given, cascadeOf("Y[k] = A[k]"))).toBe(false);
    expect(keepsOutputs(given, cascadeOf("Y = A[k]", "Z = A[k]"))).toBe(false);
    expect(keepsOutputs(given, cascadeOf("Y[k] = A[k]", "Z = A[k]", "W = Z"))).toBe(false);
  });
});

describe("cascades on their way", () => {
  it("are compared by passes, cautions, live fibers, work, and the length of the way", () => {
    const cascade = cascadeOf("Z = A[k]");
    const node = (passes: number, cautions: number, live: number, work: number, steps: number): Node => {
      const measure = { passes, live: Array<string>(live).fill("x"), work, operations: [] };
      const all = Array.from({ length: cautions }, () => ({ caution: "division" as const, words: "w" }));
      const start: Node = { law: null, words: "", cascade, measure, from: null, cautions: all };
      return Array.from({ length: steps }).reduce<Node>(from => ({ ...start, from }), start);
    };
    const ways = [
      node(1, 0, 0, 1, 0),
      node(1, 0, 0, 1, 2),
      node(1, 0, 0, 2, 1),
      node(1, 0, 1, 1, 0),
      node(1, 1, 0, 1, 0),
      node(1, 2, 0, 0, 0),
      node(2, 0, 0, 0, 0),
    ];
    for (const [i, a] of ways.entries())
      for (const [j, b] of ways.entries()) expect(Math.sign(compareNodes(a, b)), `${i}, ${j}`).toBe(Math.sign(i - j));
    const [, long] = ways;
    expect(long === undefined ? 0 : chainOf(long).length).toBe(3);
  });
});

describe("measures", () => {
  it("are passes, then live fibers, then work at 64 coordinates a rank, split evenly", () => {
    const two = cascadeOf("S = A[k]", "Z[k] = A[k] * S");
    expect(measureOf(two, rankOf(two, "K"))).toMatchObject({ passes: 2, live: ["A: K"], work: 64 + 64 });
    const tiles = cascadeOf("ranks: K = K1 * K0", "S[k1] = A[k1*K0+k0]", "Z = S[k1]");
    expect(measureOf(tiles, rankOf(tiles, "K"))).toMatchObject({ passes: 1, live: [], work: 8 * 8 + 8 });
    const three = cascadeOf("ranks: K = K2 * K1 * K0", "S[k2] = A[k2*K1*K0+k1*K0+k0]", "Z = S[k2]");
    expect(measureOf(three, rankOf(three, "K")).work).toBe(4 * 4 * 4 + 4);
    const measure = (passes: number, live: readonly string[], work: number) => ({ passes, live, work, operations: [] });
    expect(compareMeasures(measure(1, ["a"], 9), measure(2, [], 1))).toBeLessThan(0);
    expect(compareMeasures(measure(1, ["a"], 1), measure(1, [], 9))).toBeGreaterThan(0);
    expect(compareMeasures(measure(1, ["a"], 2), measure(1, ["b"], 1))).toBeGreaterThan(0);
    expect(compareMeasures(measure(1, ["a"], 2), measure(1, ["b"], 2))).toBe(0);
  });

  it("say of what can be made again when it is read that its inputs are live", () => {
    const live = (...lines: readonly string[]) => {
      const cascade = cascadeOf(...lines);
      return measureOf(cascade, rankOf(cascade, "K")).live;
    };
    expect(live("T[k] = A[k] * B[k]", "S = T[k]", "Z[k] = T[k] * S")).toEqual(["T: K"]);
    expect(live("S = A[k]", "T[k] = A[k] * 2", "Z[k] = T[k] * S")).toEqual(["A: K"]);
    // A sum over another rank is no pass over this one.
    expect(live("S = A[k,j]", "T[k] = A[k,j]", "Z[k] = T[k] * S")).toEqual(["A: K"]);
    // U is used up in the first pass, so that T is not made of it again.
    expect(live("S = A[k]", "U[k] = A[k] * 2", "P = U[k]", "T[k] = U[k] * 3", "Z[k] = T[k] * S")).toEqual(["T: K"]);
    // What each tile leaves.
    expect(live("ranks: K = K1 * K0", "T[k1] = A[k1*K0+k0]", "S = T[k1]", "Z[k1] = T[k1] * S")).toEqual(["T: K1"]);
  });
});

describe("lines", () => {
  it("have names that are free, longer ones where they are not", () => {
    const cascade = cascadeOf("Y = A[k]", "YS = B[j] * Y");
    expect([freshName(cascade, "Y"), freshName(cascade, "A"), freshName(cascade, "A", ["AS", "ASS"])]).toEqual([
      "YSS",
      "AS",
      "ASSS",
    ]);
    expect([
      freeName(cascade, "Q"),
      freeName(cascade, "Y"),
      freeName(cascade, "K"),
      freeName(cascade, "Q", ["Q"]),
    ]).toEqual(["Q", "YSS", "KS", "QS"]);
  });

  it("go in front of the first Einsum or heading, after comments, ranks and inputs", () => {
    const lines = ["# title: t", "", "inputs: A, B", "ranks: J = 3", "Initialization:", "Y = A[k]", "Z = Y * B[j]"];
    const added = withLine(cascadeOf(...lines), "ranks: K = K1 * K0").source.lines;
    expect(added.indexOf("ranks: K = K1 * K0")).toBe(4);
    expect(added.length).toBe(8);
  });

  it("iterate until a coordinate that is said behind the last line", () => {
    const cascade = cascadeOf("Z = A[k] * 2", "", "");
    const [einsum] = cascade.einsums;
    if (einsum === undefined) throw new Error("no Einsum");
    const lines = ["R[k=0] = 0", "R[k+1] = R[k] + A[k] * 2", "Z = R[K]"];
    const { source } = replaceByIteration(cascade, new Map([[einsum, lines]]), "k");
    expect(source.lines.slice(-4)).toEqual([...lines.slice(-1), "until: k >= K", "", ""]);
  });

  it("are left out that no output is made of; both of an iteration stay", () => {
    const lines = ["S[i=0] = 0", "U = B[i]", "S[i+1] = S[i] + A[i]", "W = U * 2", "Z = S[I]", "until: i >= I"];
    expect(withoutUnused(cascadeOf(...lines), ["Z"]).einsums.map(({ tensor }) => tensor)).toEqual(["S", "S", "Z"]);
    expect(withoutUnused(cascadeOf(...lines), ["W"]).einsums.map(({ tensor }) => tensor)).toEqual(["U", "W"]);
    const whole = cascadeOf(...lines);
    expect(withoutUnused(whole, ["Z", "W"])).toBe(whole);
  });
});

describe("quotients", () => {
  it.each([
    ["A[k] * B[k]", "A[k], B[k]", ""],
    ["square(A[k] / B[k])", "A[k], A[k]", "B[k], B[k]"],
    ["recip(A[k] / B[k])", "B[k]", "A[k]"],
    ["A[k] / (B[k] / C[k])", "A[k], C[k]", "B[k]"],
    ["exp(A[k] * B[k])", "exp(A[k] * B[k])", ""],
    ["A[k] + B[k]", "A[k] + B[k]", ""],
  ])("%s has the factors %s and the divisors %s", (text, over, under) => {
    const [einsum] = cascadeOf(`Z[k] = ${text}`).einsums;
    if (einsum === undefined) throw new Error("no Einsum");
    const { factors, divisors } = quotientOf(einsum.right);
    expect([factors, divisors].map(parts => parts.map(part => formatExpression(part)).join(", "))).toEqual([
      over,
      under,
    ]);
  });
});

it.each<[string, string, string | null]>([
  ["made element by element", "T[k] = A[k] * 2", "A[k] * 2"],
  ["reduced", "T[k] = A[k,j]", null],
  ["filtered", "T[k] = A[k: k<3]", null],
  ["rounded", "T[k] = A[k] * 2 @operand", null],
])(
  "an access stands for what its tensor is made of, unless that is reduced, filtered or rounded: %s",
  (_, line, body) => {
    const cascade = cascadeOf(line, "Z[k] = T[k] + 1");
    const [read] = accessesOf(cascade.einsums[1]?.right ?? { kind: "number", value: 0 });
    const inside = read === undefined ? null : inlined(read, writerOf(cascade, "T"));
    expect(inside && formatExpression(inside)).toBe(body);
  },
);

describe("sums of products", () => {
  const termsOf = (right: string) => {
    const [einsum] = cascadeOf(`Z[k] = ${right}`).einsums;
    if (einsum === undefined) throw new Error("no Einsum");
    return expand(einsum.right, noAlgebra);
  };
  it.each([
    ["A[k] + B[k] - A[k]", "B[k]"],
    ["A[k] - A[k]", "0"],
    ["(A[k] + 2) * (B[k] - 3)", "A[k] * B[k] + 2 * B[k] - 3 * A[k] - 6"],
    ["square(A[k] - B[k])", "A[k] * A[k] + B[k] * B[k] - 2 * A[k] * B[k]"],
    ["neg(A[k] - B[k])", "B[k] - A[k]"],
    ["neg(A[k])", "neg(A[k])"],
    ["-3 * A[k] * -2", "6 * A[k]"],
    ["(A[k] + B[k]) / (2 * C[k])", "0.5 * A[k] / C[k] + 0.5 * B[k] / C[k]"],
    ["A[k] * B[k] / A[k]", "B[k]"],
    ["A[k] / (B[k] + C[k])", "A[k] / (B[k] + C[k])"],
    ["A[k] / (B[k] / C[k])", "A[k] * C[k] / B[k]"],
    ["A[k] / 0", "A[k] / 0"],
    ["recip(2 * A[k])", "0.5 / A[k]"],
    ["recip(A[k]) * A[k]", "1"],
    ["max(A[k], B[k]) * 2", "2 * max(A[k], B[k])"],
    ["inf * A[k]", "inf * A[k]"],
    ["A[k] * K + K * A[k]", "2 * A[k] * K"],
    ["log(A[k] * B[k])", "log(A[k] * B[k])"],
    ["exp(A[k] - A[k])", "exp(A[k] - A[k])"],
    // 25 terms are too many, 24 are not.
    [
      "(A[k]+B[k]+C[k]+D[k]+E[k]) * (F[k]+G[k]+H[k]+I[k]+J[k])",
      "(A[k] + B[k] + C[k] + D[k] + E[k]) * (F[k] + G[k] + H[k] + I[k] + J[k])",
    ],
  ])("%s is %s", (text, expected) => {
    expect(formatExpression(sumOf(termsOf(text)))).toBe(expected);
  });

  it("are distributed up to 24 terms, and tell what is the same", () => {
    expect(termsOf("(A[k]+B[k]+C[k]+D[k]) * (F[k]+G[k]+H[k]+I[k]+J[k]+L[k])").length).toBe(24);
    expect(sameTerms(termsOf("A[k] * (B[k] + 1)"), termsOf("A[k] + B[k] * A[k]"))).toBe(true);
    expect(sameTerms(termsOf("A[k] * (B[k] + 1)"), termsOf("A[k] - B[k] * A[k]"))).toBe(false);
    expect(sameTerms(termsOf("A[k] / B[k]"), termsOf("B[k] / A[k]"))).toBe(false);
  });

  const algebra = { ...noAlgebra, isPositive: () => true };
  it.each([
    ["log(A[k] * B[k])", "log(A[k]) + log(B[k])"],
    ["log(A[k] / B[k])", "log(A[k]) - log(B[k])"],
    ["log(exp(A[k]) / B[k])", "A[k] - log(B[k])"],
    ["log(exp(A[k]))", "A[k]"],
    ["log(exp(A[k], 2) * B[k])", "log(exp(A[k], 2)) + log(B[k])"],
    ["log(A[k])", "log(A[k])"],
    ["log(recip(A[k]))", "log(recip(A[k]))"],
    ["log(sqrt(A[k]) * B[k])", "log(sqrt(A[k])) + log(B[k])"],
    ["log(exp(A[k]) * exp(B[k]) / exp(C[k]))", "A[k] + B[k] - C[k]"],
    ["log(2 * A[k])", "log(2 * A[k])"],
    ["log(A[k] + B[k])", "log(A[k] + B[k])"],
    ["log(A[k] * B[k] + C[k])", "log(A[k] * B[k] + C[k])"],
  ])("of positive parts have logarithms of their own: %s is %s", (text, expected) => {
    const [einsum] = cascadeOf(`Z[k] = ${text}`).einsums;
    if (einsum === undefined) throw new Error("no Einsum");
    expect(formatExpression(sumOf(expand(einsum.right, algebra)))).toBe(expected);
  });
});

describe("a derivation that is checked", () => {
  const law: Law = { name: "made up", statement: "", apply: () => lawResult([]) };
  const given = cascadeOf("S = A[k]", "Z = S * 3");
  const rank = rankOf(given, "K");
  /** What is said of a step that leads to a cascade. */
  const checked = async (cascade: Cascade, cautions: Node["cautions"] = []) => {
    const step = { law, words: "made up", cascade, measure: measureOf(cascade, rankOf(cascade, "K")) };
    const derivation = {
      ...(await deriveOver(given, rank, { budget: 1 })),
      answers: [{ steps: [nodeOf(given, rank), step], cautions }],
    };
    let steps = 0;
    const found = await derivationChecker(async () => {
      steps += 1;
    })(derivation);
    return { ...found, told: steps };
  };
  const cancellation = [{ caution: "cancellation" as const, words: "w" }];
  const division = [{ caution: "division" as const, words: "w" }];

  it("is an answer where each step computes the same", async () => {
    const { answers, refuted, told } = await checked(cascadeOf("Z = 3 * A[k]"));
    expect([answers.length, refuted.length, told]).toEqual([1, 0, 2]);
    expect(answers[0]?.equal).toBe(true);
    const check = answers[0]?.last.check;
    expect(check).toMatchObject({ overflows: 0, differs: null, cancels: false });
    // 8 random inputs and 12 adversarial ones.
    expect(check?.inputs).toBe(20);
    // 3 times a sum and the sum of what is 3 times as much round differently.
    expect(check?.largest.relative).toBeGreaterThan(0);
    expect(check?.largest.relative).toBeLessThan(1e-12);
    expect(answers[0]?.last.cascade.headers.get("title")).toBe("mine: 1 pass over K, derived");
    expect(answers[0]?.steps[0]?.check).toBeNull();
  });

  it("names the first input where all give the same", async () => {
    const { answers } = await checked(given);
    expect(answers[0]?.last.check?.largest).toEqual({ relative: 0, input: "random 1" });
  });

  it("is refuted with the first input on which it does not", async () => {
    const { answers, refuted, told } = await checked(cascadeOf("Z = 3 * A[k] + 0.2"));
    expect([answers.length, refuted.length, told]).toEqual([0, 1, 1]);
    expect(refuted[0]).toMatchObject({ passes: 1, cautions: [] });
    expect(refuted[0]?.step.check?.differs).toMatch(/^on "random 1" Z is \S+ and \S+$/);
    // Large values on the way excuse it only where sums were said to cancel.
    const large = cascadeOf("T = 1e16 * A[k] * A[k]", "S = 3 * A[k]", "U = S + T", "Z = U - T");
    expect((await checked(large)).refuted.length).toBe(1);
    expect((await checked(large, division)).refuted.length).toBe(1);
    const excused = await checked(large, cancellation);
    expect(excused.answers.map(({ equal, last }) => [equal, last.check?.cancels])).toEqual([[false, true]]);
    const below = cascadeOf("T = -1e16 * A[k] * A[k]", "S = 3 * A[k]", "U = S + T", "Z = U - T");
    expect((await checked(below, cancellation)).answers[0]?.last.check?.cancels).toBe(true);
    expect((await checked(cascadeOf("Z = 3 * A[k] + 0.2"), cancellation)).refuted.length).toBe(1);
    expect((await checked(cascadeOf("Z = 3 / recip(A[k]) + inf * 0"), cancellation)).refuted.length).toBe(1);
  });

  it("tells nothing where too few inputs give anything finite", async () => {
    const roots = cascadeOf("S = sqrt(A[k] - 20)", "Z = S * 3");
    const own = rankOf(roots, "K");
    const same = cascadeOf("Z = 3 * sqrt(A[k] - 20)");
    const step = { law, words: "made up", cascade: same, measure: measureOf(same, rankOf(same, "K")) };
    const derivation = {
      ...(await deriveOver(roots, own, { budget: 1 })),
      answers: [{ steps: [nodeOf(roots, own), step], cautions: [] }],
    };
    const { refuted } = await derivationChecker()(derivation);
    expect(refuted[0]?.step.check?.differs).toBe("only 1 of 20 inputs give anything finite");
  });
});

describe("what has to be remembered", () => {
  const of = (text: string, elements: number, rank = "K") => {
    const cascade = parseCascade(text);
    return rememberedOf(cascade, rankOf(cascade, rank), elements)?.numbers ?? null;
  };
  it.each([
    ["Z[k] = A[k]", 0],
    ["Z = A[k] :: *(k)", 1],
    ["S = A[k]\nZ = square(S)", 1],
    ["S = A[k]\nT = square(A[k])\nZ = S * T", 2],
    ["S = A[k]\nT = square(A[k])\nU = A[k] * A[k] * A[k]\nZ = S * T * U", 3],
    ["S = A[k] * B[k]\nT = B[k]\nZ = exp(S / T / K)", 2],
    ["S = A[k]\nZ[k] = A[k] * S", 6],
    ["Z[k] = 2\nY = Z[k]", null],
    ["S = log(A[k] - 9)\nZ = S * S", null],
    // Not finite for a change of one element alone, which is 0.59017.
    ["S = sqrt(square(A[k] - 0.59026994) - 1e-9)\nZ = S * S", null],
  ])("of half a fiber of %j: %s numbers", (text, expected) => {
    expect(of(text, 6)).toBe(expected);
    if (expected !== null && expected < 4) expect(of(text, 5)).toBe(expected);
  });
});

it("what an iteration leaves is late over its rank, and what it has at a step is not", () => {
  const cascade = cascadeOf("S[k=0] = 0", "S[k+1] = S[k] + A[k]", "Z[k] = A[k] * S[K] * S[k+1]", "until: k >= K");
  const reads = accessesOf(cascade.einsums.at(-1)?.right ?? { kind: "number", value: 0 });
  expect(reads.map(read => isLate(cascade, read, new Set(["K"])))).toEqual([false, true, false]);
  expect(reads.map(read => isLate(cascade, read, new Set(["J"])))).toEqual([false, false, false]);
});

it("a split is refused where its tiles and their elements would have one name, and names its tiles as it is told", () => {
  const cascade = cascadeOf("Z = A[k]");
  expect(splitRank("K", "K1").apply(cascade).refusals[0]?.reason).toBe("its tiles and their elements would both be K1");
  expect(splitRank("K", "T").apply(cascade).rewrites[0]?.words).toBe("K into K1 tiles of T");
  expect(splitRank("J").apply(cascade)).toEqual({ rewrites: [], refusals: [] });
});
