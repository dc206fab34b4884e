import { describe, expect, it } from "vitest";
import { SpecError } from "../../src/errors.js";
import { specFiles } from "../../src/io/spec-files.js";
import { loadDesign, type SpecSource } from "../../src/spec/load.js";

const architecture = `
name: small
source: test
technology: 45nm
frequencyHz: 1e9
wordBits: 16
parameters: {}
levels:
  dram: { kind: dram, bytesPerSecond: 1e12 }
  buffer: { kind: sram, within: dram, bytes: 1 * MiB, rowWords: 64 }
  pe: { kind: fanout, within: buffer, size: 16 }
  registers: { kind: registers, within: pe, depth: 8 }
arrays: { pes: { at: registers, operations: { mac: 1, add: 1, max: 1, exp: 1, divide: 1 } } }
`;
const twoProducts = "inputs: X[m,k], W[k,n], U[n,l]\nY[m,n] = X[m,k] * W[k,n]\nZ[m,l] = Y[m,n] * U[n,l]\n";
const softmax =
  "inputs: X[m,p]\nGM[p] = X[m,p] :: max(m)\nS[m,p] = exp(X[m,p] - GM[p])\nD[p] = S[m,p]\nA[m,p] = S[m,p] / D[p]\n";

/** What loading a design of these parts complains about; empty when nothing is wrong with it. */
function complaint(cascade: string | undefined, mapping: string): string {
  const texts: Readonly<Record<string, string>> = {
    "designs d": `name: d\nlabel: d\nsource: test\n${cascade === undefined ? "" : "cascade: c\n"}architecture: a\nmapping: m\nbinding: b`,
    "architectures a": architecture,
    "mappings m": `name: m\nsource: test\n${mapping}`,
    "bindings b": "name: b\nsource: test\nphases: [{ name: all, latency: 1 }]",
    "cascades c": cascade ?? "",
  };
  const source: SpecSource = {
    ...specFiles,
    read: (kind, name, from) =>
      kind === "technologies" || kind === "arithmetic"
        ? specFiles.read(kind, name, from)
        : { file: `${kind}.txt`, text: texts[`${kind} ${name}`] ?? "" },
  };
  try {
    loadDesign(source, "d");
    return "";
  } catch (error) {
    if (error instanceof SpecError) return error.message;
    throw error;
  }
}

const sizes =
  "symbols: { K: E, N: F, L: E, P: queries }\npartitions: { M: { M1: rest, M0: 16 }, N: { N1: rest, N0: 8 } }\n";
interface Places {
  readonly y: string;
  readonly keepY: string;
  readonly z: string;
  readonly keepZ: string;
}
const products = ({ y, keepY, z, keepZ }: Places): string =>
  `${sizes}einsums:\n  Y:\n    array: pes\n    loops: ${y}\n    keep: ${keepY}\n  Z:\n    array: pes\n    loops: ${z}\n    keep: ${keepZ}\n`;
const inBuffer: Places = {
  y: "{ dram: [M1, N1], buffer: [N0, K], pe: [M0] }",
  keepY: "{ dram: [X, W], buffer: [X, W, Y], registers: [X, W, Y] }",
  z: "{ dram: [M1, N1], buffer: [L, N0], pe: [M0] }",
  keepZ: "{ dram: [U, Z], buffer: [Y, U, Z], registers: [Y, U, Z] }",
};

describe("what is handed over in a buffer of one tile", () => {
  it("is there under the same loops outside", () => {
    expect(complaint(twoProducts, products(inBuffer))).toBe("");
  });

  it.each<[string, Partial<Places>]>([
    ["another order of loops", { z: "{ dram: [N1, M1], buffer: [L, N0], pe: [M0] }" }],
    ["a sum outside the buffer that is not done", { y: "{ dram: [M1, K, N1], buffer: [N0], pe: [M0] }" }],
    ["a loop between that the tensor lacks", { z: "{ dram: [L, M1, N1], buffer: [N0], pe: [M0] }" }],
    ["no memory in common", { keepZ: "{ dram: [U, Z], buffer: [U, Z], registers: [Y, U, Z] }" }],
  ])("is gone under %s", (_, change) => {
    expect(complaint(twoProducts, products({ ...inBuffer, ...change }))).toMatch(
      /^mappings\.txt:\d+:\d+ einsums\.Z\.keep\.\w+: got Y, read at .* under loops over .*, where Y has made it at .*; expected a memory of both that holds all that is made of it until it is read; give both the same loops outside that memory, or keep it further out$/,
    );
  });

  it.each<[string, Partial<Places>]>([
    [
      "a reader that keeps all of it",
      {
        y: "{ dram: [M1, N1], buffer: [N0, K], pe: [M0] }",
        z: "{ dram: [M1], buffer: [L, N1, N0], pe: [M0] }",
      },
    ],
    [
      "a maker that keeps all of it",
      {
        y: "{ dram: [M1], buffer: [N1, N0, K], pe: [M0] }",
        z: "{ dram: [M1, N1], buffer: [L, N0], pe: [M0] }",
      },
    ],
    [
      "DRAM between them",
      {
        keepY: "{ dram: [X, W, Y], buffer: [X, W], registers: [X, W, Y] }",
        z: "{ dram: [N1, M1], buffer: [L, N0], pe: [M0] }",
        keepZ: "{ dram: [Y, U, Z], buffer: [Y, U], registers: [Y, U, Z] }",
      },
    ],
    [
      "a mapping that says why it is there all the same",
      { z: "{ dram: [N1, M1], buffer: [L, N0], pe: [M0] }\n    assumed: { Y: a test says so }" },
    ],
  ])("is there with %s", (_, change) => {
    expect(complaint(twoProducts, products({ ...inBuffer, ...change }))).toBe("");
  });

  it("is checked from what the mapping types where there is no cascade", () => {
    const typed = (places: Places): string =>
      products(places)
        .replace("einsums:", "tensors: { X: [M, K], W: [K, N], Y: [M, N], U: [N, L], Z: [M, L] }\neinsums:")
        .replace("  Y:\n", "  Y:\n    inputs: [X, W]\n    output: Y\n    operations: { mac: 1 }\n")
        .replace("  Z:\n", "  Z:\n    inputs: [Y, U]\n    output: Z\n    operations: { mac: 1 }\n");
    expect(complaint(undefined, typed(inBuffer))).toBe("");
    const turned = { ...inBuffer, z: "{ dram: [N1, M1], buffer: [L, N0], pe: [M0] }" };
    expect(complaint(undefined, typed(turned))).toMatch(/einsums\.Z\.keep\.buffer: got Y, read at buffer, registers/);
    // Nothing says that Z needs the whole sum: under the loop of the sum it may take each partial one.
    const sums = {
      y: "{ dram: [M1, K, N1], buffer: [N0], pe: [M0] }",
      z: "{ dram: [M1, K, N1], buffer: [L, N0], pe: [M0] }",
    };
    expect(complaint(undefined, typed({ ...inBuffer, ...sums }))).toBe("");
  });
});

describe("what the pass analysis rules out", () => {
  const place = (loops: string, keep: string): string => `{ array: pes, loops: ${loops}, keep: ${keep} }`;
  const mapped = (loops: string): string =>
    `symbols: { P: queries }\npartitions: { M: { M1: rest, M0: 16 } }\neinsums:\n${[
      `  GM: ${place(loops, "{ dram: [X], buffer: [X, GM], registers: [X, GM] }")}`,
      `  S: ${place(loops, "{ buffer: [X, GM, S], registers: [X, GM, S] }")}`,
      `  D: ${place(loops, "{ buffer: [D], registers: [S, D] }")}`,
      `  A: ${place(loops, "{ dram: [A], buffer: [S, D], registers: [S, D, A] }")}`,
    ].join("\n")}\n`;

  it("is refused: tiles of keys outside the buffer, in which a softmax passes three times", () => {
    expect(complaint(softmax, mapped("{ dram: [P, M1], pe: [M0] }"))).toMatch(
      /^mappings\.txt:\d+:\d+ einsums\.S\.keep\.buffer: got GM|^mappings\.txt:\d+:\d+ einsums\.(S|A)\.keep\.buffer: got (X|S), read at/,
    );
  });

  it("is no fault where the buffer holds the row", () => {
    expect(complaint(softmax, mapped("{ dram: [P], buffer: [M1], pe: [M0] }"))).toBe("");
  });
});
