import { describe, expect, it } from "vitest";
import { parseCascade } from "../../src/einsum/cascade.js";

const stop = "until: i >= K";
const groupsOf = (...lines: readonly string[]) =>
  parseCascade(lines.join("\n")).dependence.groups.map(({ einsums, loop }) => [einsums, loop]);

describe("Einsums that are carried out together", () => {
  it.each([
    [
      "one line after the other",
      ["X = A[k]", "Y = A[k] * X", "Z = Y * X"],
      [
        [[0], null],
        [[1], null],
        [[2], null],
      ],
    ],
    [
      "two lines that take what the other left a step before",
      ["S[i=0] = 1", "R[i=0] = 1", "S[i+1] = S[i] * R[i]", "R[i+1] = R[i] * S[i+1]", "Z = A[j] * R[K]", stop],
      [
        [[0], null],
        [[1], null],
        [[2, 3], "K"],
        [[4], null],
      ],
    ],
    [
      "lines that are all one step of an iteration",
      ["R[i=0] = 1", "X[i] = R[i] * A[i]", "Y[i] = X[i] * B[i]", "Z[i] = Y[i] * C[i]", "R[i+1] = R[i] + Z[i]", stop],
      [
        [[0], null],
        [[1, 2, 3, 4], "K"],
      ],
    ],
    [
      "two iterations that share nothing, and a line with a value of its own between them",
      ["R[i=0] = 1", "S[j=0] = 1", "R[i+1] = R[i] * A[i]", "X = A[k]", "S[j+1] = S[j] * A[j]", stop, "until: j >= K"],
      [
        [[0], null],
        [[1], null],
        [[2], "K"],
        [[3], null],
        [[4], "K"],
      ],
    ],
    [
      "what an iteration leaves at its end, wherever it is read",
      ["Z = R[K] * S[3]", "S[j=0] = 1", "S[j+1] = S[j] * A[j]", "R[i=0] = 1", "R[i+1] = R[i] * A[i]", stop].concat(
        "until: j >= K",
      ),
      [
        [[3], null],
        [[4], "K"],
        [[1], null],
        [[2], "K"],
        [[0], null],
      ],
    ],
    [
      "a sum over the steps so far, this one included",
      ["T[i=0] = 1", "X[i] = T[i] * A[i]", "T[i+1] = T[i] + X[k: k<=i]", stop],
      [
        [[0], null],
        [[1, 2], "K"],
      ],
    ],
  ])("law: each comes after what it needs, else as its first line does: %s", (_, lines, groups) => {
    expect(groupsOf(...lines)).toEqual(groups);
  });

  it.each([
    ["through a first value", ["R[i=0] = Y", "R[i+1] = R[i] * A[i]", "Y = R[K]"], "R -> Y -> R"],
    ["through two ends", ["S[i=0] = 1", "R[i=0] = 1", "S[i+1] = S[i] * R[K]", "R[i+1] = R[i] * S[K]"], "S -> R -> S"],
    ["through one step alone", ["T[i=0] = 1", "X[i] = T[i] * A[i]", "T[i+1] = T[i] + X[2]"], "T -> X -> T"],
    ["through a step before", ["T[i=0] = 1", "X[i] = T[i] * A[i]", "T[i+1] = T[i] + X[i-1]"], "T -> X -> T"],
    ["through a step to come", ["T[i=0] = 1", "X[i] = T[i] * A[i]", "T[i+1] = T[i] + X[i+1]"], "T -> X -> T"],
    ["through every other step", ["T[i=0] = 1", "X[i] = T[i] * A[i]", "T[i+1] = T[i] + X[2*i]"], "T -> X -> T"],
    ["through later steps", ["T[i=0] = 1", "X[i] = T[i] * A[i]", "T[i+1] = T[i] + X[k: k>=i]"], "T -> X -> T"],
    ["through equal steps of another name", ["T[i=0] = 1", "X[i] = T[i]", "T[i+1] = T[i] + X[k: k==i]"], "T -> X -> T"],
    ["through a value without the rank", ["T[i=0] = 1", "X = T[i] * A[i]", "T[i+1] = T[i] + X"], "X -> T -> X"],
    ["through other ranks", ["T[i=0] = 1", "X[j,i] = T[i] * A[j]", "T[i+1] = T[i] + X[i,j]"], "T -> X -> T"],
    ["through its own other ranks", ["T[j, i=0] = 1", "T[j, i+1] = T[i, j] + A[j]"], "T -> T"],
    ["beside one that does not", ["R[i=0] = 1", "Z = Y", "Y = Z * X", "X = Y", "R[i+1] = R[i] * A[i]"], "Z -> Y -> Z"],
  ])("a circle %s cannot be carried out", (_, lines, circle) => {
    expect(() => groupsOf(...lines, stop)).toThrow(`got a cyclic definition: ${circle};`);
  });
});
