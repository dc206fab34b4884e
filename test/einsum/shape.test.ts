import { describe, expect, it } from "vitest";
import { parseCascade } from "../../src/einsum/cascade.js";
import { inputCases } from "../../src/einsum/input-cases.js";
import { inputShape, partialShape, rankOfIndex, sizesOfInputs } from "../../src/einsum/input-shape.js";
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

describe("sizes that follow", () => {
  const solved = (text: string, shape: Readonly<Record<string, number>>) =>
    Object.fromEntries(solveShape(parseCascade(text, "mine"), shape));

  it.each<[string, Readonly<Record<string, number>>, Readonly<Record<string, number>>]>([
    ["ranks: M = M2 * M1 * M0\nZ = A[m2*M1*M0+m1*M0+m0]", { M: 24, M2: 2, M0: 3 }, { M1: 4 }],
    ["ranks: M = M2 * M1 * M0\nZ = A[m2*M1*M0+m1*M0+m0]", { M: 24, M2: 2 }, {}],
    ["ranks: M = 2 * N\nZ[n] = A[m] * B[n]", { M: 6 }, { N: 3 }],
    ["ranks: M = 2 * N\nZ[n] = A[m] * B[n]", { N: 3 }, { M: 6 }],
    ["ranks: M = N + 2\nZ[n] = A[m] * B[n]", { N: 3 }, { M: 5 }],
    ["ranks: M = N + 2\nZ[n] = A[m] * B[n]", { M: 5 }, {}],
    ["ranks: M = M1 * M0, M1 = N1 * N0\nZ[n0] = A[m] * B[n1*N0+n0] * C[m0]", { N1: 2, N0: 3, M0: 4 }, { M1: 6, M: 24 }],
    ["ranks: M = M1 * M0, M1 = N1 * N0\nZ[n0] = A[m] * B[n1*N0+n0] * C[m0]", { M: 24, M0: 4, N0: 3 }, { M1: 6, N1: 2 }],
    ["R[i=0] = 1\nR[i+1] = R[i] * 2\nuntil: i >= 8", {}, { I: 8 }],
    ["R[i=0] = 1\nR[i+1] = R[i] * A[k]\nuntil: i >= K - 1", { K: 4 }, { I: 3 }],
    ["O[p] = I[H: p*2+r] * F[r]", { P: 4, R: 3 }, { H: 9 }],
    ["O[p] = I[H: p*2+r+1] * F[r]", { P: 4, R: 3 }, { H: 10 }],
    ["O[p] = I[H: p*2+r] * F[r]", { H: 10, R: 3 }, { P: 4 }],
    ["O[p] = I[H: p*2+r] * F[r]", { H: 9, P: 4 }, { R: 3 }],
    ["O[p] = I[H: p*2+r] * F[r]", { H: 2, R: 3 }, {}],
    ["O[p] = I[H: p*2+r] * F[r]", { H: 9 }, {}],
    ["O[p] = I[H: p*G+r] * F[r]", { H: 9, R: 3, G: 3 }, { P: 3 }],
    ["O[p] = I[H: p*G+r] * F[r]", { H: 9, R: 3 }, {}],
    // The longer of two windows; a window whose reach is not known leaves its rank open.
    ["O[p] = I[H: p+r] * F[r]\nU[p] = I[H: p+2*s] * G[s]", { P: 4, R: 3, S: 3 }, { H: 8 }],
    ["O[p] = I[H: p+r] * F[r]\nU[p] = I[H: p+2*s] * G[s]", { P: 4, R: 3 }, {}],
  ])("%j with %j", (text, given, more) => {
    expect(solved(text, given)).toEqual({ ...given, ...more });
  });

  it("contradict each other by name", () => {
    const refused = (text: string, shape: Readonly<Record<string, number>>) => () => solved(text, shape);
    expect(refused("ranks: M = N - 2\nZ[n] = A[m] * B[n]", { N: 2 })).toThrow(
      /^the shape of mine: got M = 0; expected at least one coordinate a rank$/,
    );
    expect(solved("ranks: M = N - 2\nZ[n] = A[m] * B[n]", { N: 3 })["M"]).toBe(1);
    expect(refused("ranks: M = 2 * N\nZ[n] = A[m] * B[n]", { M: 5 })).toThrow(
      /^the shape of mine: got M = 5, which 2 does not divide; expected M = 2\*N with a whole N$/,
    );
    expect(refused("R[i=0] = 1\nR[i+1] = R[i]\nuntil: i >= 8", { I: 7 })).toThrow(
      /^the shape of mine: got I = 7 and, from I = 8, I = 8; expected one size a rank$/,
    );
    expect(refused("R[i=0] = 1\nR[i+1] = R[i] * A[k]\nuntil: i >= K", { I: 7, K: 8 })).toThrow(
      /got K = 7 and, as --shape has it, K = 8/,
    );
    expect(refused("O[p] = I[H: p+r] * F[r]", { H: 5, P: 4, R: 3 })).toThrow(
      /^the shape of mine: got H = 5, of which I\[H: p\+r\] reads 6 coordinates; expected windows within/,
    );
  });

  it("are those of inputs without names: a window says no rank", () => {
    const windowed = parseCascade("O[p] = I[p*2+r] * F[r]", "mine");
    expect(
      sizesOfInputs(
        windowed,
        new Map([
          ["I", [9]],
          ["F", [3]],
        ]),
        {},
      ),
    ).toEqual({ R: 3 });
    expect(solveShape(windowed, { R: 3 }).has("P")).toBe(false);
  });

  it("are of the rank that an index runs over: plain, shifted, the parts of a split rank in their order, a window", () => {
    const text =
      "ranks: M = M1 * M0, N = N1 * N0\nY[m1,m0] = A[m1*M0+m0]\nX[n1,n0] = B[n1*N0+n0]\nZ[p] = C[p+1] * D[H: 2*p+r] * E[2*p]";
    const cascade = parseCascade(text, "mine");
    const rankOf = (tensor: string) => {
      const index = cascade.tensors.get(tensor)?.indices[0];
      return index === undefined ? "none" : rankOfIndex(cascade, index);
    };
    expect(["A", "B", "C", "D", "E"].map(rankOf)).toEqual(["M", "N", "P", "H", undefined]);
  });
});

describe("the shape of an input, from its sizes", () => {
  it.each<[string, Readonly<Record<string, number>>, readonly (number | undefined)[]]>([
    ["Z[k] = A[k]", { K: 5 }, [5]],
    ["Z[k] = A[k]", {}, [undefined]],
    ["Z[k,j] = A[j,k]", { K: 5 }, [undefined, 5]],
    ["Z[k] = A[k+2] + A[k]", { K: 5 }, [7]],
    ["Z[k] = A[k] + A[k+2]", { K: 5 }, [7]],
    ["Z[k] = A[3*k+1]", { K: 5 }, [14]],
    ["Z[k] = A[K-1-k]", { K: 5 }, [5]],
    ["Z[k] = A[K-1] * B[k]", { K: 5 }, [5]],
    ["Z[k] = A[7] * B[k]", { K: 5 }, [8]],
    ["Z[k] = A[K-1] * B[k]", {}, [undefined]],
    ["Z[p] = A[p*G+r] * B[r]", { P: 3, R: 2, G: 4 }, [10]],
    ["Z[p] = A[p*G+r] * B[r]", { P: 3, R: 2 }, [undefined]],
    ["Z[p] = A[H: p*2+r] * B[r]", { H: 12, P: 3, R: 2 }, [12]],
    ["Z[p] = A[H: p*2+r] * B[r]", { H: 12 }, [12]],
    ["inputs: A[w], B\nZ[p] = A[p*2+r] * B[r]", { W: 12, P: 3, R: 2 }, [12]],
  ])("%j with %j", (text, sizes, expected) => {
    expect(partialShape(parseCascade(text), "A", new Map(Object.entries(sizes)))).toEqual(expected);
  });
});

describe("shapes of two cascades, in more cases", () => {
  const shapesOf = (a: string, b: string, shape: Readonly<Record<string, number>> = {}) => {
    const { shapes, inputShapes } = jointShapes(parseCascade(a, "a"), parseCascade(b, "b"), shape);
    return [...shapes.map(sizes => Object.fromEntries(sizes)), Object.fromEntries(inputShapes)];
  };

  it("have small sizes in turn, of which those follow that a text says", () => {
    const five = "Z = A[i] * B[j] * C[k] * D[l] * E[m]";
    expect(shapesOf(five, five)[0]).toEqual({ I: 5, J: 4, K: 3, L: 6, M: 5 });
    expect(shapesOf("Z = A[k]", "Z = A[k]", { K: 9 })).toEqual([{ K: 9 }, { K: 9 }, { A: [9] }]);
    expect(shapesOf("ranks: N = 2 * M\nZ[m] = A[m] * B[n]", "Z[m] = A[m] * B[n]")[1]).toEqual({ M: 5, N: 10 });
  });

  it("share what either knows, by names and by the places of inputs", () => {
    // K of one is J of the other.
    expect(shapesOf("Z = A[k]", "Z = A[j]", { J: 7 })).toEqual([{ K: 7 }, { J: 7 }, { A: [7] }]);
    expect(shapesOf("Z = A[k]", "Z = A[j]", { K: 7 })).toEqual([{ K: 7 }, { J: 7 }, { A: [7] }]);
    // A border is not its rank.
    expect(shapesOf("Z[k] = A[k+1] - A[k]", "Z[k] = A[k+1] * 2", { K: 7 })[2]).toEqual({ A: [8] });
    // An input that only one reads has its own.
    expect(shapesOf("Z = A[k] * B[j]", "Z = A[k]")[2]).toEqual({ A: [5], B: [4] });
    expect(() => shapesOf("Z[p] = A[p+3] * B[p]", "Z[p] = A[p] * B[p]", { P: 4 })).toThrow(
      /^the input A: got shape \[7\] in a and \[4\] in b; expected one shape in both; give the sizes of both cascades' ranks/,
    );
  });

  it("divide a split rank into what is nearest below its root, one part after the other", () => {
    const three = "ranks: M = M2 * M1 * M0\nZ = A[m2*M1*M0+m1*M0+m0]";
    const sizesOf = (M: number, more = {}) => {
      const { M2, M1, M0 } = shapesOf(three, "Z = A[m]", { M, ...more })[0] as Record<string, number>;
      return [M2, M1, M0];
    };
    expect(sizesOf(24)).toEqual([4, 2, 3]);
    expect(sizesOf(16)).toEqual([4, 2, 2]);
    expect(sizesOf(7)).toEqual([1, 1, 7]);
    expect(sizesOf(24, { M1: 2 })).toEqual([3, 2, 4]);
    expect(sizesOf(36, { M0: 4 })).toEqual([3, 3, 4]);
    expect(shapesOf("Z = A[m]", three, { M: 24 })[1]).toMatchObject({ M2: 4, M1: 2, M0: 3 });
  });
});

it("law: random inputs are mulberry32's numbers under Box and Muller's transform", () => {
  const seed = 12345;
  let state = seed;
  const uniform = () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  // Tommy Ettinger's generator gives these first.
  expect([uniform(), uniform()]).toEqual([0.9797282677609473, 0.3067522644996643]);
  state = seed;
  const [first] = inputCases(new Map([["A", [300]]]), 1, seed);
  const wanted = Array.from(
    { length: 300 },
    () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()),
  );
  expect(Array.from(first?.inputs["A"]?.data ?? [])).toEqual(wanted);
});

it("fills inputs of an odd number of elements, and tries eight of them alone", () => {
  const cases = [...inputCases(new Map([["A", [5]]]), 0, 1)];
  const of = (name: string) => Array.from(cases.find(one => one.name === name)?.inputs["A"]?.data ?? []);
  expect(of("zeros in front").map(x => x === 0)).toEqual([true, true, true, false, false]);
  expect(of("zeros behind").map(x => x === 0)).toEqual([false, false, false, true, true]);
  expect(of("one spike").map(x => x === 40)).toEqual([false, false, true, false, false]);
  expect(of("alternating")).toEqual([1, -1, 1, -1, 1]);
  const many = (count: number) =>
    [...inputCases(new Map(Array.from({ length: count }, (_, i) => [`T${i}`, [1]])), 0, 1)].filter(({ name }) =>
      name.includes("the rest random"),
    );
  expect([many(8).length, many(9).length, many(2).length, many(1).length]).toEqual([16, 16, 4, 0]);
  const elements = (count: number) =>
    inputCases(
      new Map([
        ["A", [count]],
        ["B", [2 ** 23]],
      ]),
      0,
      1,
    ).next();
  expect(() => elements(2 ** 23 + 1)).toThrow(
    /^the inputs: got 16777217 elements; expected at most 16777216; compare on a smaller --shape$/,
  );
  expect(() => inputCases(new Map([["A", [2 ** 29]]]), 0, 1).next()).toThrow(
    /^the tensor A\[536870912\]: got 536870912 elements; expected at most 2\^28/,
  );
});
