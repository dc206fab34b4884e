import { describe, expect, it } from "vitest";
import { parseCascade } from "../../src/einsum/cascade.js";
import { inputCases } from "../../src/einsum/input-cases.js";
import { inputShape, partialShape, sizesOfInputs } from "../../src/einsum/input-shape.js";
import { jointShapes } from "../../src/einsum/joint-shape.js";
import { missingSizes, parseShape, requireSizes, solveShape } from "../../src/einsum/shape.js";

const split = parseCascade("ranks: M = M1 * M0\nB[m1,m0] = A[m1*M0+m0]\nZ = B[m1,m0]", "split");
const bordered = parseCascade("inputs: A, B\nZ[k] = A[k+2] - A[k] * B[K-1]", "bordered");
const windowed = parseCascade("O[p] = I[p*2+r] * W[r]", "windowed");

describe("a shape", () => {
  it("has sizes by rank, in units of 1024 where it says so", () => {
    expect(parseShape("M=4096, p=1K,E = 3,,F=2m,H=1G")).toEqual({ M: 4096, P: 1024, E: 3, F: 2 ** 21, H: 2 ** 30 });
    expect(parseShape("M=1024G")).toEqual({ M: 2 ** 40 });
    expect(parseShape("m=4,M=4")).toEqual({ M: 4 });
    expect(parseShape("")).toEqual({});
  });

  it.each([
    ["M=0", /--shape: got "M=0"; expected rank=size with a whole size from 1/],
    ["M=1025G", /got "M=1025G"/],
    ["M=1.5", /got "M=1.5"/],
    ["M", /got "M"/],
    ["=4", /got "=4"/],
    ["M=4T", /got "M=4T"/],
    ["M=4,M=5", /got two sizes of M, 4 and 5; expected one/],
  ])("is refused: %s", (text, message) => expect(() => parseShape(text)).toThrow(message));

  it("gives what follows of a split rank from the two others, whichever they are", () => {
    const all = { M: 12, M1: 4, M0: 3 };
    for (const [one, two] of [
      ["M", "M1"],
      ["M", "M0"],
      ["M1", "M0"],
    ] as const) {
      const found = solveShape(split, { [one]: all[one], [two]: all[two] });
      expect(Object.fromEntries(found)).toEqual(all);
      expect(missingSizes(split, found)).toEqual([]);
      expect(() => requireSizes(split, found)).not.toThrow();
    }
    expect(Object.fromEntries(solveShape(split, all))).toEqual(all);
    expect(() => solveShape(split, { M: 12, M1: 4, M0: 4 })).toThrow(/the shape of split: got M = 12 and, .*M = 16/);
    expect(() => solveShape(split, { M: 13, M0: 3 })).toThrow(
      /got M = 13, which 3 does not divide; expected M = .* a whole M1/,
    );
    expect(() => solveShape(split, { N: 3 })).toThrow(
      /--shape: got the rank N, which split does not have; expected one of/,
    );
  });

  it("says which sizes are missing: of a split rank all but the outermost part", () => {
    const missing = (shape: Readonly<Record<string, number>>) => missingSizes(split, solveShape(split, shape));
    expect([...missing({})].sort()).toEqual(["M", "M0"]);
    expect(missing({ M: 12 })).toEqual(["M0"]);
    expect(missing({ M0: 3 })).toEqual(["M"]);
    expect(() => requireSizes(split, solveShape(split, { M: 12 }))).toThrow(/no size of the rank M0.*: M0=\.\.\./);
    expect(() => requireSizes(split, new Map())).toThrow(/no size of the ranks /);
    const two = parseCascade("Z[k] = A[k,j]", "two");
    expect(missingSizes(two, new Map([["K", 3]]))).toEqual(["J"]);
  });

  it("gives a rank as long as windows over it reach, and the variable of one that fills it", () => {
    expect(Object.fromEntries(solveShape(windowed, { P: 4, R: 3 }))).toMatchObject({ P: 4, R: 3 });
    const sizes = solveShape(windowed, { P: 4, R: 3 });
    // The last window begins at 6 and has 3 places.
    expect(inputShape(windowed, "I", sizes)).toEqual([9]);
    expect(inputShape(windowed, "W", sizes)).toEqual([3]);
  });
});

describe("the shape of an input", () => {
  it("is a border longer than its rank, and says the rank's size", () => {
    expect(sizesOfInputs(bordered, new Map([["A", [7]]]), {})).toEqual({ K: 5 });
    expect(inputShape(bordered, "A", new Map([["K", 5]]))).toEqual([7]);
    expect(inputShape(bordered, "B", new Map([["K", 5]]))).toEqual([5]);
    expect(partialShape(bordered, "A", new Map())).toEqual([undefined]);
    expect(partialShape(bordered, "Z", new Map([["K", 5]]))).toEqual([]);
    expect(() => inputShape(bordered, "A", new Map())).toThrow(/the input A of bordered: got a size that nothing says/);
  });

  it("contradicts others by name", () => {
    const two = parseCascade("Z = A[k] * B[k,j]", "two");
    expect(() => sizesOfInputs(two, new Map([["A", [2, 3]]]), {})).toThrow(
      /the input A of two: got shape \[2,3\]; expected 1 rank: A\[k\]/,
    );
    expect(() => sizesOfInputs(two, new Map([["B", [2]]]), {})).toThrow(/expected 2 ranks: B\[k,j\]/);
    const inputs = new Map([
      ["A", [2]],
      ["B", [3, 4]],
    ]);
    expect(() => sizesOfInputs(two, inputs, {})).toThrow(
      /the input B of two: got 3 coordinates along K; expected 2, as A has it/,
    );
    expect(() => sizesOfInputs(two, new Map([["A", [2]]]), { k: 5 })).toThrow(/expected 5, as the shape has it/);
    expect(sizesOfInputs(two, new Map([["B", [3, 4]]]), { M: 9 })).toEqual({ K: 3, J: 4, M: 9 });
  });
});

describe("shapes of two cascades that read the same", () => {
  const whole = parseCascade("Z = A[m]", "whole");

  it("are small where nobody says them, and a divisor of what is known for a split rank", () => {
    const { shapes, inputShapes } = jointShapes(whole, split, { M: 12 });
    expect(shapes[0].get("M")).toBe(12);
    // 3 is the divisor of 12 nearest below its root.
    expect([shapes[1].get("M1"), shapes[1].get("M0")]).toEqual([3, 4]);
    expect([...inputShapes]).toEqual([["A", [12]]]);
    const prime = jointShapes(split, whole, { M: 13 }).shapes[0];
    expect([prime.get("M1"), prime.get("M0")]).toEqual([1, 13]);
    const chosen = jointShapes(whole, split, {});
    const [m1, m0] = [chosen.shapes[1].get("M1") ?? 0, chosen.shapes[1].get("M0") ?? 0];
    expect(chosen.shapes[0].get("M")).toBe(m1 * m0);
    expect(m1 * m0).toBeGreaterThan(1);
    const three = parseCascade("Z = A[i] * B[j] * C[k]", "three");
    expect([...jointShapes(three, three, {}).inputShapes.values()]).toEqual([[5], [4], [3]]);
  });

  it("are refused where they cannot be", () => {
    expect(() => jointShapes(whole, split, { N: 2 })).toThrow(/the rank N, which whole does not have/);
    const other = parseCascade("Z = A[m,n]", "other");
    expect(() => jointShapes(whole, other, {})).toThrow(
      /the input A: got 1 ranks in whole and 2 in other; expected the same/,
    );
  });
});

describe("cases of inputs", () => {
  const cases = (shapes: ReadonlyMap<string, readonly number[]>, trials = 2, seed = 1) => [
    ...inputCases(shapes, trials, seed),
  ];
  const shapes = new Map([
    ["A", [2, 3]],
    ["B", [4]],
  ]);
  const valuesOf = (name: string, tensor = "A") =>
    Array.from(cases(shapes).find(one => one.name === name)?.inputs[tensor]?.data ?? []);

  it("are random ones, those that rewrites disagree on, and each input alone", () => {
    const names = cases(shapes).map(({ name }) => name);
    expect(names.slice(0, 3)).toEqual(["random 1", "random 2", "all zero"]);
    expect(names.slice(-4)).toEqual([
      ...["A zero, the rest random", "A with zeros in front, the rest random"],
      ...["B zero, the rest random", "B with zeros in front, the rest random"],
    ]);
    // One input alone is what it is anyway.
    expect(
      cases(new Map([["A", [2]]]))
        .map(({ name }) => name)
        .at(-1),
    ).toBe("far from zero");
    expect(valuesOf("all zero")).toEqual(Array(6).fill(0));
    expect(valuesOf("all one")).toEqual(Array(6).fill(1));
    expect(valuesOf("all negative").every(x => x <= -1)).toBe(true);
    expect(valuesOf("ascending")).toEqual([1, 2, 3, 4, 5, 6].map(x => x / 6));
    expect(valuesOf("descending")).toEqual([6, 5, 4, 3, 2, 1].map(x => x / 6));
    expect(valuesOf("alternating")).toEqual([1, -1, 1, -1, 1, -1]);
    expect(valuesOf("zeros in front").map(x => x === 0)).toEqual([true, true, true, false, false, false]);
    expect(valuesOf("zeros behind").map(x => x === 0)).toEqual([false, false, false, true, true, true]);
    expect(valuesOf("one spike").map(x => x === 40)).toEqual([false, false, false, true, false, false]);
    expect(Math.max(...valuesOf("one spike").map(x => (x === 40 ? 0 : Math.abs(x))))).toBeLessThan(1);
    expect(Math.max(...valuesOf("huge").map(Math.abs))).toBeGreaterThan(20);
    expect(Math.max(...valuesOf("tiny").map(Math.abs))).toBeLessThan(1e-28);
    expect(valuesOf("far from zero").every(x => Math.abs(x - 1000) < 10)).toBe(true);
    expect(valuesOf("A zero, the rest random")).toEqual(Array(6).fill(0));
    expect(valuesOf("A zero, the rest random", "B").every(x => x !== 0)).toBe(true);
    expect(valuesOf("B with zeros in front, the rest random", "B").map(x => x === 0)).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });

  it("law: random ones are normal deviates, the same for a seed and others for another", () => {
    const draw = (seed: number) => Array.from(cases(new Map([["A", [20_000]]]), 1, seed)[0]?.inputs["A"]?.data ?? []);
    const drawn = draw(3);
    expect(drawn).toEqual(draw(3));
    expect(drawn).not.toEqual(draw(4));
    // Five deviations of the mean and of the variance of 20,000 normal numbers.
    const mean = drawn.reduce((a, b) => a + b, 0) / drawn.length;
    const variance = drawn.reduce((sum, x) => sum + x * x, 0) / drawn.length;
    expect(Math.abs(mean)).toBeLessThan(5 / Math.sqrt(20_000));
    expect(Math.abs(variance - 1)).toBeLessThan(5 * Math.sqrt(2 / 20_000));
    expect(drawn.every(Number.isFinite)).toBe(true);
    expect(new Set(drawn).size).toBeGreaterThan(19_900);
  });

  it("are refused for inputs too large to be compared", () => {
    expect(() => cases(new Map([["A", [2 ** 13, 2 ** 12]]]))).toThrow(/elements/);
  });
});
