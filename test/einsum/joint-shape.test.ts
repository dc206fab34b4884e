import { describe, expect, it } from "vitest";
import { parseCascade } from "../../src/einsum/cascade.js";
import { jointShapes } from "../../src/einsum/joint-shape.js";

const split = parseCascade("ranks: M = M1 * M0\nB[m1,m0] = A[m1*M0+m0]\nZ = B[m1,m0]", "split");

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
      /the input A: got 1 rank in whole and 2 in other; expected the same/,
    );
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

  it("share what follows of what is shared, for as long as something does, and begin with the cascade that splits ranks", () => {
    const a = "ranks: P = 2 * K\nZ = A[k] * B[p] * C[s]";
    const b = "ranks: R = Q + 1\nZ = A[j] * B[q] * C[r]";
    expect(shapesOf(a, b, { J: 3 })).toEqual([
      { K: 3, P: 6, S: 7 },
      { J: 3, Q: 6, R: 7 },
      { A: [3], B: [6], C: [7] },
    ]);
    const split = "ranks: M = M1 * M0\nZ = A[m1*M0+m0]";
    const [, { M1 = 0, M0 = 0 } = {}] = shapesOf("Z = A[m] * B[i] * C[j] * D[k]", split) as Record<string, number>[];
    expect(Math.min(M1, M0)).toBeGreaterThan(1);
    expect(() => shapesOf("Z = A[k]", "Z = A[k,j]")).toThrow(
      /^the input A: got 1 rank in a and 2 in b; expected the same ranks in both$/,
    );
    expect(shapesOf("Z = A[k] * B[k,j]", "Z = A[k]")[2]).toEqual({ A: [5], B: [5, 4] });
  });

  it("divide a split rank into what is nearest below its root, one part after the other", () => {
    const three = "ranks: M = M2 * M1 * M0\nZ = A[m2*M1*M0+m1*M0+m0]";
    const sizesOf = (M: number, more = {}) => {
      const { M2, M1, M0 } = shapesOf(three, "Z = A[m]", { M, ...more })[0] as Record<string, number>;
      return [M2, M1, M0];
    };
    expect(sizesOf(24)).toEqual([4, 2, 3]);
    expect(sizesOf(16)).toEqual([4, 2, 2]);
    expect(sizesOf(6)).toEqual([2, 1, 3]);
    expect(sizesOf(7)).toEqual([1, 1, 7]);
    expect(sizesOf(24, { M1: 2 })).toEqual([3, 2, 4]);
    expect(sizesOf(36, { M0: 4 })).toEqual([3, 3, 4]);
    expect(shapesOf("Z = A[m]", three, { M: 24 })[1]).toMatchObject({ M2: 4, M1: 2, M0: 3 });
  });
});
