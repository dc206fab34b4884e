import { describe, expect, it } from "vitest";
import { processorSeconds } from "../../bench/processor-time.js";
import { type Cascade, parseCascade } from "../../src/einsum/cascade.js";
import { evaluateCascade } from "../../src/einsum/evaluate.js";
import { cascadeLimits } from "../../src/einsum/parse.js";
import { CascadeError } from "../../src/einsum/source.js";
import { SpecError } from "../../src/errors.js";

const text = (...lines: readonly string[]): Cascade => parseCascade(lines.join("\n"), "test");

function failure(...lines: readonly string[]): CascadeError {
  try {
    text(...lines);
  } catch (error) {
    if (error instanceof CascadeError) return error;
    throw error;
  }
  throw new Error(`no error in\n${lines.join("\n")}`);
}

const vector = (...data: number[]) => ({ shape: [data.length], data });
/** Runs a cascade; gives a tensor's values by its name. */
function run(cascade: Cascade, inputs: Parameters<typeof evaluateCascade>[1], shape = {}) {
  const { tensors } = evaluateCascade(cascade, inputs, { shape });
  return (name: string): number[] => Array.from(tensors.get(name)?.data ?? []);
}

describe("what a line means", () => {
  const A = vector(1, 2, 3);
  it.each([
    ["sums over what the left lacks", "Z = A[k]", [6]],
    ["evaluates the whole right before the sum", "Z = square(A[k])", [14]],
    ["a scalar term counts at every point", "Z = A[k] + 10", [36]],
    ["max, min and product", "Z = A[k] :: max(k)", [3]],
    ["", "Z = A[k] :: min(k)", [1]],
    ["", "Z = A[k] :: *(k)", [6]],
    ["", "Z = A[k] :: +(k)", [6]],
    ["rank by its name or its variable", "Z = A[k] :: max(K)", [3]],
    ["one reduction over several ranks", "Z = A[k] - A[j] :: max(k,j)", [2]],
    ["unnamed ranks are summed first", "Z = A[k] - A[j] :: max(k)", [3]],
    ["reductions in the order written", "Z = A[k] - A[j] :: max(k) :: +(j)", [3]],
    ["", "Z = A[k] * A[j] :: +(j) :: max(k)", [18]],
    ["prefix filters", "Z[i] = A[k: k<=i]", [1, 3, 6]],
    ["", "Z[i] = A[k: k<i]", [0, 1, 3]],
    ["suffix filters", "Z[i] = A[k: k>=i]", [6, 5, 3]],
    ["", "Z[i] = A[k: i<k]", [5, 3, 0]],
    ["windows", "Z[i] = A[k: k<=i & k>=i-1]", [1, 3, 5]],
    ["", "Z[i] = A[k: i-1<=k<=i]", [1, 3, 5]],
    ["equality", "Z[i] = A[k: k==i]", [1, 2, 3]],
    ["constants in filters", "Z = A[k: k>=1]", [5]],
    ["fixed coordinates", "Z[k] = A[k] - A[0]", [0, 1, 2]],
    ["the last coordinate", "Z[k] = A[K-1] - A[k]", [2, 1, 0]],
    ["a rank's size", "Z = A[k] / K", [2]],
    ["a rank's size beside other arithmetic", "Z = 1 / (K * (K - 1)) + 0 * A[k]", [0.5]],
    ["precedence and parentheses", "Z[k] = 2 + 3 * A[k] - -1", [6, 9, 12]],
    ["division from left to right", "Z[k] = 12 / A[k] / 2", [6, 3, 2]],
    ["functions", "Z[k] = max(A[k], 2, 2.5) + min(A[k], 2)", [3.5, 4.5, 5]],
    ["", "Z[k] = relu(A[k] - 2) + abs(neg(A[k])) + recip(A[k]) * A[k]", [2, 3, 5]],
    ["", "Z[k] = exp(log(A[k])) - rsqrt(A[k]) * sqrt(A[k])", [0, 1, 2]],
    ["", "Z = sigmoid(0 * A[0]) + tanh(0 * A[0])", [0.5]],
    ["exp with a scale", "Z[k] = log(exp(A[k], 2))", [2, 4, 6]],
    ["", "Z[k] = log(exp(A[k], scale = 1/2))", [0.5, 1, 1.5]],
    ["numbers", "Z[k] = A[k] * 1e1 + .5 + 2.", [12.5, 22.5, 32.5]],
    ["infinities", "Z[k] = max(-inf, min(A[k], inf))", [1, 2, 3]],
    ["comments and tabs", "\tZ[k]\t=\tA[k]  # the same", [1, 2, 3]],
    ["broadcasting to a rank of the left only", "Z[k,i] = A[k] * B[i]", [1, 1, 2, 2, 3, 3]],
  ])("%s: %s", (_what, line, expected) => {
    const cascade = text(line);
    const found = run(cascade, Object.fromEntries(cascade.inputs.map(name => [name, name === "B" ? vector(1, 1) : A])));
    expect(found("Z").map(x => Number(x.toFixed(12)))).toEqual(expected);
  });

  it("splits and joins ranks", () => {
    const cascade = text(
      "ranks: K = K1 * K0",
      "B[k1,k0] = A[k1*K0+k0]",
      "T[k0,k1] = B[k1,k0]",
      "Z[k0*K1+k1] = T[k0,k1]",
    );
    expect(run(cascade, { A: vector(0, 1, 2, 3, 4, 5) }, { K0: 3 })("Z")).toEqual([0, 3, 1, 4, 2, 5]);
  });

  it("splits a rank in more than two", () => {
    const cascade = text("ranks: K = K2 * K1 * K0", "Z[k0] = A[k2*K1*K0 + k1*K0 + k0]");
    expect(run(cascade, { A: vector(1, 2, 3, 4, 5, 6, 7, 8) }, { K1: 2, K0: 2 })("Z")).toEqual([16, 20]);
  });

  it("takes sizes by number: ranks, stops and last coordinates", () => {
    const cascade = text("ranks: K = 4", "S[i=0] = 0", "S[i+1] = S[i] + A[i]", "Z = S[4]", "until: i >= 4");
    expect(run(cascade, { A: vector(1, 2, 3, 4) })("Z")).toEqual([10]);
  });

  it("runs an Einsum that uses a last coordinate after the iteration, wherever it stands", () => {
    const lines = ["Initialization:", "RM[i=0] = -inf", "Extended Einsums:", "RM[i+1] = max(RM[i], A[i])"];
    const cascade = text(...lines, "Y[k] = A[k] - RM[K]", "until: i >= K");
    expect(run(cascade, { A: vector(1, 5, 2) })("Y")).toEqual([-4, 0, -3]);
  });

  it("iterates a recurrence that needs its own past", () => {
    const cascade = text("F[i=0] = 1", "G[i] = F[j: j<=i]", "F[i+1] = G[i]", "until: i >= 5");
    expect(run(cascade, {})("F")).toEqual([1, 1, 2, 4, 8, 16]);
  });

  it("iterates over one rank within tensors of several", () => {
    const cascade = text("S[p, t=0] = X[p]", "S[p, t+1] = S[p,t] * 2 + X[p]", "Z[p] = S[p,T]", "until: t >= 3");
    expect(run(cascade, { X: vector(1, 10) })("Z")).toEqual([15, 150]);
  });

  it("a tensor is what it is called even where a rank has its name", () => {
    const cascade = text("T = D[k]", "U[k] = C[k]*T", "V = U[k]*D[k]");
    expect(run(cascade, { C: vector(1, 2), D: vector(3, 4) })("V")).toEqual([7 * 3 + 14 * 4]);
    expect(text("Z[d] = X[d] / D").inputs).toEqual(["X"]);
    expect(text("Z[d] = X[d] / eps").inputs).toEqual(["X", "eps"]);
  });

  it("an exponential's scale may differ from point to point", () => {
    const inputs = { X: vector(1, 1, 2, 1), S: vector(1, 2, 2, 0) };
    expect(run(text("Y[k] = exp(X[k], S[k])"), inputs)("Y")).toEqual([1, 2, 4, 0].map(Math.exp));
  });

  it("0 / 0 is 0, and is said; every other quotient is IEEE's", () => {
    const cascade = text("Z[k] = A[k] / B[k]");
    const { tensors, emptyQuotients } = evaluateCascade(cascade, { A: vector(0, 1, 0), B: vector(0, 0, 2) });
    expect(Array.from(tensors.get("Z")?.data ?? [])).toEqual([0, Number.POSITIVE_INFINITY, 0]);
    expect(emptyQuotients).toEqual([{ tensor: "Z", points: 1, first: "at k=0" }]);
  });

  it.each([
    ["what nothing reads", ["Y = A[k]", "Z[k] = Y*A[k]", "W = Y"], ["Z", "W"]],
    ["what an iteration of its own leaves", ["R[i=0] = 0", "R[i+1] = R[i]+A[i]", "until: i >= K"], ["R"]],
    [
      "what a closed iteration carries, and nothing of its iterations",
      ["W[t=0] = 1", "P[t,n] = X[n]*W[t]", "W[t+1] = P[t,n]*X[n]", "until: t >= 3"],
      ["W"],
    ],
    [
      "nothing that is read at its last coordinate",
      ["R[i=0] = 0", "R[i+1] = R[i]+A[i]", "Z = R[K]", "until: i >= K"],
      ["Z"],
    ],
  ])("outputs are %s", (_what, lines, outputs) => {
    expect(text(...lines).outputs).toEqual(outputs);
  });

  it("keeps headers, sections in any case and lists over several lines", () => {
    const cascade = text(
      "# title: Test",
      "# source: here",
      "INPUTS:",
      "  A[k]",
      "ranks:",
      "  K = K1 * K0",
      "initialization:",
      "  B[k1,k0] = A[k1*K0+k0]",
      "extended einsums:",
      "  Z = B[k1,k0]",
    );
    expect([cascade.headers.get("title"), cascade.headers.get("source")]).toEqual(["Test", "here"]);
    expect([cascade.inputs, cascade.outputs]).toEqual([["A"], ["Z"]]);
  });

  it("is called by its file's name, without folders and ending", () => {
    const names = ["a/b/mine.cascade", "a\\mine.txt", "mine", "mine.cascade.old", "a.cascade/mine"];
    expect(names.map(name => parseCascade("Z = A", name).name)).toEqual([
      "mine",
      "mine",
      "mine",
      "mine.cascade.old",
      "mine",
    ]);
    expect(parseCascade("Z = A").name).toBe("cascade");
  });

  it("reads Windows line ends and a byte order mark", () => {
    expect(parseCascade("\ufeffY = A[k]\r\nZ = Y * 2\r\n").einsums.map(e => e.text)).toEqual(["Y = A[k]", "Z = Y * 2"]);
  });
});

describe("what is wrong is said with its place", () => {
  it.each([
    ["an unknown tensor", ["inputs: A", "Z = A[k] * BB[k]"], "2:12", /unknown tensor BB/],
    ["an unknown scalar", ["inputs: A", "Z = A[k] * eps"], "2:12", /unknown tensor eps/],
    ["a slip in a name", ["inputs: GAIN", "Z = GIAN[k]"], "2:5", /did you mean GAIN\?/],
    ["used before it is defined", ["Z = Y * 2", "Y = A[k]"], "1:5", /Y used before it is defined.*line 2/],
    [
      "used before its step",
      ["R[i=0] = 0", "Z[i] = R[i+1]", "R[i+1] = R[i]+A[i]", "until: i >= K"],
      "2:8",
      /used before/,
    ],
    ["ranks of a written tensor", ["Y[k] = A[k]", "Z = Y"], "2:5", /Y with no rank.*1 rank.*rank mismatch/],
    ["ranks of an input", ["Y = A[k]", "Z = A[k,m]"], "2:5", /A with 2 ranks/],
    ["ranks of a declared input", ["inputs: A[k]", "Z = A[k,m]"], "2:5", /A with 2 ranks/],
    ["ranks of an initialization", ["R[i=0] = 0", "R[i+1,p] = R[i,p]", "until: i >= K"], "1:1", /R with 1 rank/],
    [
      "no initialization",
      ["R[i+1] = R[i] + A[i]", "until: i >= K"],
      "1:3",
      /iterative rank i of R without an init.*R\[i=0\]/,
    ],
    ["no stop", ["R[i=0] = 0", "R[i+1] = R[i] + A[i]"], "2:3", /without a stop.*until: i >= I/],
    ["a stop of nothing", ["Z = A[k]", "until: j >= J"], "2:8", /a stop of j/],
    ["an initialization that never iterates", ["R[i=0] = 0", "Z = A[i]"], "1:1", /never iterates/],
    ["a definition of itself", ["A[k] = A[k] + 1"], "1:8", /cyclic definition: A -> A/],
    ["a circle of two", ["A = B", "B = A"], "1:5", /cyclic definition: A -> B -> A/],
    [
      "a circle through a last coordinate",
      ["R[i=0]=0", "R[i+1] = R[i]*Z", "Z = R[K]", "until: i >= K"],
      "2:15",
      /cyclic definition: R -> Z -> R/,
    ],
    [
      "a circle through a sum",
      ["T[i=0]=1", "X[i] = T[i]*A[i]", "Z = X[i]", "T[i+1] = T[i]+Z", "until: i >= K"],
      "3:5",
      /cyclic/,
    ],
    ["a reduced rank that is kept", ["Z[k] = A[k] :: max(k)"], "1:20", /not there: Z keeps k/],
    ["a reduced rank that is nowhere", ["Z = A[k] :: max(m)"], "1:17", /not there: no tensor on the right has m.*: k/],
    ["a rank reduced twice", ["Z = A[k] :: max(k) :: +(k)"], "1:25", /k is reduced twice/],
    ["a tensor written twice", ["Y = A[k]", "Y = B[k]"], "2:1", /second Einsum that writes Y.*line 1/],
    ["an input that is written", ["inputs: A, Y", "Y = A[k]"], "1:12", /input Y, which an Einsum writes/],
    ["a rank variable as a value", ["Z[k] = A[k] * k"], "1:15", /rank variable "k" outside brackets/],
    ["a size in place of a variable", ["Z = A[K] * B[K]"], "1:7", /coordinate K of A.*write k/],
    ["an unknown function", ["Z = expp(A[k])"], "1:5", /did you mean exp\?/],
    ["a second argument", ["Z = log(A[k], 2)"], "1:5", /only exp/],
    ["one argument of max", ["Z = max(A[k])"], "1:13", /:: max\(k\)/],
    ["an unclosed bracket", ["Z = A[k * B[k]"], "1:12", /expected "\]"/],
    ["an unclosed parenthesis", ["Z = (A[k] + 1"], "1:14", /the end of the line.*"\)"/],
    ["nothing after the sign", ["Z ="], "1:4", /the end of the line/],
    ["two Einsums on a line", ["Y = A[k] Z = B[k]"], "1:10", /one Einsum a line/],
    ["a foreign character", ["Z = A[k] × B[k]"], "1:10", /"×".*write \*/],
    ["an unknown heading", ["Initialisation:", "Z = A[k]"], "1:1", /did you mean initialization:\?/],
    ["an unknown annotation", ["Z = A[k] @operant"], "1:11", /did you mean @operand\?/],
    ["two annotations", ["Z = A[k] @operand @factor"], "1:20", /second annotation/],
    ["a reduction by an unknown operator", ["Z = A[k] :: sum(k)"], "1:13", /max, min, \+ or \*/],
    ["a step other than 1", ["R[i=0]=0", "R[i+2] = R[i]", "until: i >= K"], "2:3", /i\+1/],
    ["a start other than 0", ["R[i=1]=0", "R[i+1] = R[i]", "until: i >= K"], "1:5", /first coordinate, 0/],
    ["a read behind the one before", ["R[i=0]=0", "R[i+1] = R[i-1]", "until: i >= K"], "2:12", /iterative rank i of R/],
    ["two iterative ranks of a tensor", ["R[i+1,j+1] = A[i,j]"], "1:7", /second iterative rank/],
    ["a stop with a variable", ["R[i=0]=0", "R[i+1]=R[i]", "until: i >= j"], "3:13", /size or a number/],
    ["two stops", ["R[i=0]=0", "R[i+1]=R[i]", "until: i >= K", "until: i >= M"], "4:8", /second stop/],
    ["two sizes of a rank", ["ranks: K = 4", "ranks: K = 5", "Z = A[k]"], "2:8", /K = 5 after K = 4.*one size/],
    ["two sizes of one rank by two names", ["ranks: K = 3, J = 4", "Y[k] = A[k]", "Z = Y[j]"], "1:15", /one rank/],
    ["a rank that is its own factor", ["ranks: K = K * K0", "Z = A[k]"], "1:8", /K = K\*K0.*found from K's own/],
    ["ranks that are factors of each other", ["ranks: K = J * L, J = K * Q", "Z = A[k] * B[j]"], "1:8", /K's own/],
    ["a rank that is a term of its own", ["ranks: K = 3, N = N - K + 1", "Z = A[n]"], "1:15", /found from N's own/],
    ["a filter on the left", ["Z[k: k<=3] = A[k]"], "1:4", /filter belongs on the right/],
    ["a filter without a condition", ["Z = A[k: k]"], "1:11", /<=/],
    ["a product of variables", ["Z = A[k*j]"], "1:9", /at most one rank variable/],
    ["the same variable twice on the left", ["Z[k,k] = A[k]"], "1:5", /twice on the left/],
    ["no Einsum", ["# nothing", ""], "1:1", /no Einsum/],
    ["deep nesting", [`Z = ${"(".repeat(500)}A[k]${")".repeat(500)}`], "1:206", /at most 200 levels/],
    ["a fraction in an index", ["Z = A[k+0.5]"], "1:9", /whole number/],
    [
      "a number above all doubles",
      ["Z = A[k] * 1e999"],
      "1:12",
      /1e999; expected a number of .*infinity is written inf/,
    ],
    ["a number that a double makes 0", ["Z = A[k] * 1e-999"], "1:12", /1e-999; expected a number/],
  ])("%s", (_what, lines, place, message) => {
    const error = failure(...lines);
    expect(error).toBeInstanceOf(SpecError);
    expect(error.complaint.where).toBe(`test:${place}`);
    expect(error.message).toMatch(message);
    expect(error.message).not.toContain("\n");
  });

  it("shows the line with a caret under the place, tabs kept", () => {
    expect(failure("inputs: A", "\tZ = A[k] * BB[k]").excerpt).toBe("  \tZ = A[k] * BB[k]\n  \t           ^^^^^");
  });

  it("shows a part of a long line", () => {
    const { excerpt } = failure(`Z = ${"A[k] + ".repeat(100)}foo(A[k])`);
    const [line, caret] = excerpt.split("\n") as [string, string];
    expect(line.length).toBeLessThan(130);
    expect(line.slice(caret.indexOf("^"), caret.indexOf("^") + 3)).toBe("foo");
  });

  it.each([
    ["too long a text", "#".repeat(cascadeLimits.characters + 1), /at most 100000/],
    ["too many Einsums", Array.from({ length: 1001 }, (_, i) => `T${i} = A[k]`).join("\n"), /at most 1000/],
    ["too long a line", `Z = ${"A+".repeat(3000)}A`, /at most 4000 tokens/],
    [
      "too many ranks",
      `ranks: ${Array.from({ length: 201 }, (_, i) => `R${i}`).join(",")}\nZ = A[k]`,
      /at most 200 ranks/,
    ],
    [
      "a rank split too often",
      `ranks: M = ${Array.from({ length: 13 }, (_, i) => `R${i}`).join("*")}\nZ = A[m]`,
      /at most 12/,
    ],
  ])("refuses %s at once", (_what, source, message) => {
    const began = process.cpuUsage();
    expect(() => parseCascade(source)).toThrow(message);
    expect(processorSeconds(began)).toBeLessThan(2);
  });
});
