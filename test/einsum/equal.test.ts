import { describe, expect, it } from "vitest";
import { parseCascade } from "../../src/einsum/cascade.js";
import { compareCascades, type EqualOptions } from "../../src/einsum/equal.js";
import { UsageError } from "../../src/errors.js";
import { loadCascade } from "../../src/io/cascade-files.js";
import { equalText } from "../../src/report/equal.js";

const compare = (a: string, b: string, options?: EqualOptions) =>
  compareCascades(loadCascade(a), loadCascade(b), options);
const softmax = (lines: string) => parseCascade(lines, "mine");

describe("what tells nothing", () => {
  const text = (lines: string) => parseCascade(lines, "c");
  it("is no equality: outputs of which nothing is finite", () => {
    const report = compareCascades(text("Y = log(neg(square(X[k])) - 1)"), text("Y = log(neg(square(X[k])) - 2)"));
    expect([report.equal, report.firstDiffering]).toEqual([false, null]);
    expect(equalText(report)).toContain("nothing was compared: neither gives anything finite on any input");
    expect(compareCascades(text("Y = 1 / (X[k] - X[k])"), text("Y = 2 / (X[k] - X[k])")).equal).toBe(false);
  });

  it("is said: points that are finite in neither, and outputs that only one has", () => {
    const report = compareCascades(text("Y[k] = log(X[k])\nZ = X[k]"), text("Y[k] = log(X[k])"));
    expect(report.equal).toBe(true);
    expect(report.notCompared).toEqual([["c", "Z"]]);
    expect(equalText(report)).toContain("note: Z of c is not compared");
    expect(equalText(report)).toContain("note: Y is not finite in both");
  });
});

describe("rewrites that keep the function", () => {
  it.each([
    ["attention-3-pass", "attention-3-pass-deferred"],
    ["attention-3-pass", "attention-2-pass"],
    ["attention-3-pass", "attention-1-pass"],
    ["attention-2-pass", "attention-1-pass"],
    ["cascade-1", "cascade-2"],
    ["rms-norm-product", "rms-norm-product-deferred"],
    ["variance-two-pass", "variance-welford"],
  ])("%s and %s", (a, b) => {
    const report = compare(a, b);
    expect(report.equal).toBe(true);
    expect(report.cases.length).toBeGreaterThan(15);
    expect(report.largest?.difference?.relative).toBeLessThan(1e-12);
  });

  it("law: a split rank of which nothing is said gets several tiles of several elements, whichever cascade splits it", () => {
    const names = ["attention-3-pass", "attention-1-pass"] as const;
    for (const [a, b] of [names, names.toReversed() as [string, string]]) {
      const { shapes } = compare(a, b);
      const { M = 0, M1 = 0, M0 = 0 } = Object.fromEntries([...shapes[0], ...shapes[1]]);
      expect(Math.min(M1, M0)).toBeGreaterThan(1);
      expect(M1 * M0).toBe(M);
    }
  });

  it("any shape, tiles that the other does not have included", () => {
    const report = compare("attention-3-pass", "attention-1-pass", { shape: { M: 24, M0: 6, P: 3, E: 2, F: 2 } });
    expect(report.equal).toBe(true);
    expect(Object.fromEntries(report.shapes[1])).toMatchObject({ M: 24, M1: 4, M0: 6 });
    expect(() => compare("attention-3-pass", "attention-1-pass", { shape: { M: 24, M0: 7 } })).toThrow(
      /7 does not divide/,
    );
    expect(() => compare("attention-3-pass", "attention-1-pass", { shape: { Z: 2 } })).toThrow(UsageError);
  });
});

it("law: what differs by less than the tolerance, relative to the largest value, is equal; what differs by more is not", () => {
  const [a, b] = [parseCascade("Y[k] = A[k]"), parseCascade("Y[k] = A[k] * 1.00000002")];
  expect(compareCascades(a, b, { tolerance: 3e-8 }).equal).toBe(true);
  const report = compareCascades(a, b, { tolerance: 1e-8 });
  expect(report.equal).toBe(false);
  expect(report.largest?.difference?.relative).toBeCloseTo(2e-8, 12);
});

describe("rewrites that do not", () => {
  it.each([["B zero, the rest random"], ["B with zeros in front, the rest random"], ["all zero"]])(
    "are caught where they divide by a zero that was not there before: %s",
    name => {
      const report = compareCascades(
        parseCascade("Y[k] = A[k]"),
        parseCascade("Y[k] = A[k] * B[k] / B[k] + C[k] - C[k]"),
        {
          shape: { K: 6 },
        },
      );
      const found = report.cases.find(c => c.name === name);
      expect(found?.equal).toBe(name === "all zero");
      expect(report.cases.find(c => c.name === "random 1")?.equal).toBe(true);
    },
  );

  const stable = "GM = X[m] :: max(m)\nSN[m] = exp(X[m]-GM)\nSD = SN[m]\nY[m] = SN[m]/SD";

  it("a softmax without a maximum overflows on large scores alone", () => {
    const report = compareCascades(softmax(stable), softmax("SN[m] = exp(X[m])\nSD = SN[m]\nY[m] = SN[m]/SD"));
    expect(report.firstDiffering?.name).toBe("far from zero");
    expect(report.cases.filter(c => c.name.startsWith("random")).every(c => c.equal)).toBe(true);
  });

  it("a maximum that starts from 0 is wrong where all scores are negative", () => {
    const report = compareCascades(
      softmax("GM = X[m] :: max(m)"),
      softmax("R[i=0] = 0\nR[i+1] = max(R[i], X[i])\nGM = R[M]\nuntil: i >= M"),
    );
    expect(report.cases.find(c => c.name === "all negative")?.equal).toBe(false);
  });

  it("the paper's cascade 3 loses terms where a running sum is zero", () => {
    const report = compare("cascade-1", "cascade-3", { shape: { K: 6 } });
    expect(report.firstDiffering?.name).toBe("B with zeros in front, the rest random");
    expect(report.cases.filter(c => !c.equal).length).toBe(1);
    expect(report.firstDiffering?.notes).toEqual(["cascade-3: RZ takes 0/0 as 0, first at i=0"]);
    expect(equalText(report)).toContain("they differ on 1");
  });

  it("a dropped scale is found", () => {
    const scaled = "GM = X[m] :: max(m)\nSN[m] = exp(X[m]-GM, 1/2)\nSD = SN[m]\nY[m] = SN[m]/SD";
    expect(compareCascades(softmax(stable), softmax(scaled)).firstDiffering?.name).toBe("random 1");
    // ... and is none when the other is scaled too.
    const halved = "Y[m] = exp(X[m], 2)";
    expect(compareCascades(softmax("Y[m] = exp(X[m])"), softmax(halved.replace("2", "1"))).equal).toBe(true);
  });

  it("infinities and NaN on one side only are differences, on both sides not", () => {
    const report = compareCascades(softmax("Y[k] = 1 / X[k]"), softmax("Y[k] = 1 / X[k] + 0"));
    expect(report.equal).toBe(true);
    expect(compareCascades(softmax("Y[k] = log(X[k])"), softmax("Y[k] = log(abs(X[k]))")).equal).toBe(false);
  });
});

describe("cascades that cannot be compared", () => {
  it.each([
    ["Y[k] = A[k]", "Y = A[k]", /0|1 and 0 ranks/],
    ["Y = A[k]\nZ = B[k]", "U = A[k]\nV = B[k]", /outputs Y, Z and U, V.*same name/],
    ["Y = A[k]", "Y = A[k,j]", /input A.*1 rank in a and 2 in b/],
  ])("%j and %j", (a, b, message) => {
    expect(() => compareCascades(parseCascade(a, "a"), parseCascade(b, "b"))).toThrow(message);
  });

  it("inputs too large to interpret are refused before they are made", () => {
    const sum = parseCascade("Y = A[k]", "a");
    expect(() => compareCascades(sum, sum, { shape: { K: 2 ** 30 } })).toThrow(/tensor A\[1073741824\].*at most 2\^28/);
  });
});

describe("what a comparison reports", () => {
  const text = (lines: string, name = "c") => parseCascade(lines, name);

  it("is the output and the place that are furthest apart, with both values", () => {
    const { largest, outputs } = compareCascades(
      text("Y[i,j] = A[i,j]\nZ = A[i,j]"),
      text("Z = A[i,j]\nY[i,j] = max(A[i,j], 0)"),
    );
    expect(outputs).toEqual([
      ["Y", "Y"],
      ["Z", "Z"],
    ]);
    const difference = largest?.difference;
    const [i = 0, j = 0] = difference?.coordinates ?? [];
    const { shape = [], data = [] } = largest?.inputs["A"] ?? {};
    const values = Array.from(data);
    expect(difference?.tensor).toBe("Y");
    expect(difference?.values).toEqual([Math.min(...values), 0]);
    expect(values[i * (shape[1] ?? 1) + j]).toBe(Math.min(...values));
    expect(difference?.relative).toBe(-Math.min(...values) / Math.max(...values.map(Math.abs)));
    // Of outputs that are as far apart, and of inputs, the first.
    const both = compareCascades(text("Y = A[k]\nZ = A[k]"), text("Y = 2 * A[k]\nZ = 2 * A[k]"));
    expect([both.largest?.difference?.tensor, both.largest?.difference?.relative, both.largest?.name]).toEqual([
      "Y",
      0.5,
      "random 1",
    ]);
    expect(compareCascades(text("Y = A[k]"), text("Y = A[k]")).largest?.name).toBe("random 1");
    const second = compareCascades(text("Y = A[k]\nZ = B[k]"), text("Y = A[k]\nZ = B[k] + 1"));
    expect(second.firstDiffering?.difference?.tensor).toBe("Z");
  });

  it("looks at every place, and names the first of those that are as far apart", () => {
    for (const place of [0, 1, 2, 3, 4]) {
      const own = text(`D[i] = B[k: k==i & k==${place}]\nY[i] = A[i] + D[i]`);
      const { equal, largest } = compareCascades(text("Y[i] = A[i] + 0 * B[i]"), own);
      expect([equal, largest?.difference?.coordinates]).toEqual([false, [place]]);
    }
    const { cases } = compareCascades(text("Y[k] = A[k]"), text("Y[k] = A[k] + 1"));
    expect(cases.find(({ name }) => name === "all zero")?.difference?.coordinates).toEqual([0]);
  });

  it("is in the arithmetic and with the scale that are asked for", () => {
    const [a, b] = [text("Y[k] = A[k]"), text("Y[k] = A[k] * 1.0001")];
    expect(compareCascades(a, b, { format: "bf16-strict", tolerance: 0 }).equal).toBe(true);
    expect(compareCascades(a, b, { tolerance: 0 }).equal).toBe(false);
    const [plain, scaled] = [text("Y[k] = exp(A[k])"), text("Y[k] = exp(A[k], 0.5)")];
    expect(compareCascades(plain, scaled, { scale: 0.5 }).equal).toBe(true);
    expect(compareCascades(plain, scaled).equal).toBe(false);
  });

  it("is a difference where a value leaves the arithmetic's range, with the reason", () => {
    const exp = text("Y[k] = exp(A[k])");
    const report = compareCascades(exp, exp, { format: "fp16-strict" });
    const huge = report.cases.find(({ name }) => name === "far from zero");
    expect(huge).toMatchObject({ equal: false, difference: null, tells: true });
    expect(huge?.notes[0]).toMatch(/^Y\[0\] in fp16-strict arithmetic: got /);
    expect(report.equal).toBe(false);
    expect(report.firstDiffering?.difference).toBeNull();
  });

  it("is of outputs of one name, or of the only one of each", () => {
    const outputsOf = (a: string, b: string) => compareCascades(text(a, "a"), text(b, "b"), { trials: 1 }).outputs;
    expect(outputsOf("Y = A[k]", "Z = A[k]")).toEqual([["Y", "Z"]]);
    expect(outputsOf("Z = A[k]\nY = A[k]", "Y = A[k]")).toEqual([["Y", "Y"]]);
    expect(outputsOf("Y = A[k]", "Z = A[k]\nY = A[k]")).toEqual([["Y", "Y"]]);
    for (const [a, b] of [
      ["Y = A[k]", "U = A[k]\nV = A[k]"],
      ["U = A[k]\nV = A[k]", "Y = A[k]"],
    ])
      expect(() => outputsOf(a ?? "", b ?? "")).toThrow(
        /^a and b: got the outputs .*; expected an output of the same name in both; an output is/,
      );
  });

  it("names shapes that are not one", () => {
    expect(() => compareCascades(text("Y[k] = A[k]", "a"), text("Y[k] = A[k+1]", "b"))).toThrow(
      /^the output Y: got shapes \[\d\] and \[\d\]; expected the same shape in both|^the input A/,
    );
  });

  it("law: a read before its own place, kept within the tensor by a filter, has inputs as long as the rank", () => {
    for (const back of [1, 2]) {
      const shifted = text(`Z[m] = A[m-${back}: m>=${back}]`, "a");
      expect(compareCascades(shifted, text(`Z[m] = A[k: k==m-${back}]`, "b"), { shape: { M: 5 } }).equal).toBe(true);
      expect(compareCascades(shifted, shifted).equal).toBe(true);
    }
  });
});
