import { describe, expect, it } from "vitest";
import { parseCascade } from "../../src/einsum/cascade.js";
import { inputShape, partialShape, rankOfIndex, sizesOfInputs } from "../../src/einsum/input-shape.js";
import { missingSizes, parseShape, requireSizes, solveShape } from "../../src/einsum/shape.js";

const split = parseCascade("ranks: M = M1 * M0\nB[m1,m0] = A[m1*M0+m0]\nZ = B[m1,m0]", "split");
const bordered = parseCascade("inputs: A, B\nZ[k] = A[k+2] - A[k] * B[K-1]", "bordered");
const windowed = parseCascade("O[p] = I[p*2+r] * W[r]", "windowed");

describe("a shape", () => {
  it("has sizes by rank, in units of 1024 where it says so", () => {
    expect(parseShape("M=4096, p=1K,E = 3,,F=2m,H=1G")).toEqual({ M: 4096, P: 1024, E: 3, F: 2 ** 21, H: 2 ** 30 });
    expect(parseShape("M=1024G,K=1")).toEqual({ M: 2 ** 40, K: 1 });
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
    expect(sizesOfInputs(parseCascade("Z[k] = A[k-1]"), new Map([["A", [5]]]), {})).toEqual({ K: 5 });
    const shifted = parseCascade("Z[k] = A[k+2] * B[k]", "shifted");
    const both = new Map([
      ["A", [5]],
      ["B", [4]],
    ]);
    expect(() => sizesOfInputs(shifted, both, {})).toThrow(
      /the input B of shifted: got 4 coordinates along K; expected 3, as A has it/,
    );
    expect(() => sizesOfInputs(shifted, new Map([["A", [5]]]), { K: 4 })).toThrow(
      /got 5 coordinates along K; expected 6, as the shape has it/,
    );
    expect(sizesOfInputs(two, new Map([["B", [3, 4]]]), { M: 9 })).toEqual({ K: 3, J: 4, M: 9 });
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
    ["ranks: M1 = N1 * N0, M = M1 * M0\nZ[n0] = A[m] * B[n1*N0+n0] * C[m0]", { M: 24, M0: 4, N0: 3 }, { M1: 6, N1: 2 }],
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
    // A size that is said, of a rank that is split.
    ["ranks: K = 4, K = K1 * K0\nZ = A[k]", {}, { K: 4 }],
    ["ranks: K = 4, K = K1 * K0\nZ = A[k]", { K1: 2 }, { K: 4, K0: 2 }],
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
