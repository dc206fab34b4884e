import { describe, expect, it } from "vitest";
import { specFiles } from "../../src/io/spec-files.js";
import { compileDesign } from "../../src/model/compile.js";
import { accountingOf } from "../../src/model/corrections.js";
import { evaluate, mapDesign } from "../../src/model/evaluate.js";
import { sizesOf } from "../../src/model/sizes.js";
import { loopNestText } from "../../src/report/loop-nest-text.js";
import { observeDesign } from "../../src/report/observed-counts.js";
import { loadDesign, loadWorkload, type SpecSource } from "../../src/spec/load.js";

// Designs with windows of one's own: a memory, a buffer and a grid of PEs.

const architecture = `
name: grid
source: a test
technology: 45nm
frequencyHz: 1e9
wordBits: 16
parameters: {}
levels:
  dram: { kind: dram, bytesPerSecond: 1e12 }
  buffer: { kind: sram, within: dram, bytes: 65536, rowWords: 8 }
  grid: { kind: fanout, within: buffer, size: 64 }
  registers: { kind: registers, within: grid, depth: 64 }
arrays:
  pe: { at: registers, operations: { mac: 1, add: 1, max: 1 } }
`;
const convolution = "inputs: I[h], F[r]\nO[p] = I[p*2+r] * F[r]\n";
const kept = "keep: { dram: [I, F, O], buffer: [I, F, O], registers: [I, F, O] }";
const mapping = `
name: grid
source: a test
einsums:
  O:
    array: pe
    symbols: { P: 8, R: 3 }
    partitions: { P: { P1: rest, P0: 2 } }
    loops: { dram: [P1], buffer: [P0], registers: [R] }
    ${kept}
`;

function designOf(cascade: string, given: string, einsums = ["O"]) {
  const head = "name: grid\nsource: a test\n";
  const texts: Readonly<Record<string, string>> = {
    "design.yaml": `${head}label: grid\ncascade: ./conv.cascade\narchitecture: ./architecture.yaml\nmapping: ./mapping.yaml\nbinding: ./binding.yaml\n`,
    "conv.cascade": cascade,
    // Instances that no loop uses are refused.
    "architecture.yaml": given.includes("grid: [") ? architecture : architecture.replace("size: 64", "size: 1"),
    "mapping.yaml": given,
    "binding.yaml": `${head}phases:\n${einsums.map(name => `  - { name: ${name}, latency: ${name} }\n`).join("")}`,
  };
  const source: SpecSource = {
    ...specFiles,
    read: (kind, name, from) => {
      const file = name.replace("./", "");
      const text = texts[file];
      return text === undefined ? specFiles.read(kind, name, from) : { file, text };
    },
  };
  return compileDesign(loadDesign(source, "./design.yaml"));
}

const accounting = accountingOf("corrected", undefined);
const sizes = sizesOf(loadWorkload(specFiles, "bert"), 16);
const wordsOf = (cascade: string, given: string) => {
  const { counts } = evaluate(designOf(cascade, given), sizes, accounting);
  const input = counts[0]?.accesses.find(({ tensor }) => tensor === "I");
  return input?.levels.map(({ reads, fills }) => [reads, fills]);
};

describe("designs of convolutions", () => {
  it("fill what is new of a window: 17 words of four tiles of five, strides of two", () => {
    // Tiles of P0 = 2 and R = 3 hold 5 words and go on by 4: 5 + 3 * 4. Within one, registers' 3 words go on by 2: one is kept.
    expect(wordsOf(convolution, mapping)).toEqual([
      [17, 0],
      [17, 17],
      [24, 17],
    ]);
  });

  it("take a stride from the mapping's symbols", () => {
    const named = "inputs: I[h], F[r]\nO[p] = I[p*g+r] * F[r]\n";
    expect(wordsOf(named, mapping.replace("R: 3", "R: 3, G: 2"))).toEqual(wordsOf(convolution, mapping));
    expect(() => wordsOf(named, mapping)).toThrow(/'G'/);
    expect(() => wordsOf(named, mapping.replace("R: 3", "R: 3, G: 0"))).toThrow(
      /a stride of 0 for P in I; expected a whole number from 1/,
    );
  });

  it("leave out the holes between strides", () => {
    const apart = "inputs: I[h], F[r]\nO[p] = I[p*5+r] * F[r]\n";
    expect(wordsOf(apart, mapping)?.map(([, fills]) => fills)).toEqual([0, 24, 24]);
    const design = designOf(apart, mapping);
    expect(loopNestText(design, mapDesign(design, sizes, accounting))).toMatch(
      /dram \[ I: 24,.*\n.*\n *buffer \[ I: 6,/,
    );
  });

  const over = (loops: string, partitions = ""): string => `
name: grid
source: a test
einsums:
  O:
    array: pe
    symbols: { P: 8, R: 3 }
    ${partitions}
    loops: ${loops}
    ${kept}
`;

  it("send the diagonals of one fan-out once", () => {
    expect(wordsOf(convolution.replace("p*2", "p"), over("{ grid: [P, R] }"))).toEqual([
      [10, 0],
      [10, 10],
      [24, 24],
    ]);
  });

  it.each([
    [
      "two ranks over a fan-out, one ragged",
      convolution,
      over("{ dram: [P1], grid: [P0, R] }", "partitions: { P: { P1: rest, P0: 3 } }"),
      /P and R, which slide over I, both over one fan-out, and chunks of P that do not divide it/,
    ],
    [
      "an index that goes back",
      "O[p] = I[p-r+2] * F[r]\n",
      mapping,
      /I\[p\+2-r\], in which r goes back along what others go along/,
    ],
    ["a variable in two places", "O[p] = I[p*2+r,r] * F[r]\n", mapping, /I\[p\*2\+r,r\], with r in two places/],
  ])("refuse %s by name", (_, cascade, given, message) => {
    expect(() => wordsOf(cascade, given)).toThrow(message);
  });

  it("are refused where the observer would walk them", () => {
    const design = designOf(convolution, mapping);
    expect(() => observeDesign(design, mapDesign(design, sizes, accounting))).toThrow(
      /sliding windows of I; expected indices of one variable/,
    );
  });

  it("are refused under a mask", () => {
    const cascade = "inputs: I[m,h], F[r]\nO[m,p] = I[m,p+r] * F[r]\n";
    const masked = mapping.replace("P: 8", "P: queries").replace("dram: [P1]", "dram: [M, P1]");
    const design = designOf(cascade, masked);
    const mask = { left: -1, right: 0, sequences: [{ count: 1, queries: 16, keys: 16 }] };
    expect(() => mapDesign(design, sizes, accounting, [], mask)).toThrow(
      /a mask over O, which reads sliding windows of I/,
    );
  });

  const chain = "inputs: X[y], F[r]\nI[y] = X[y] * 2\nO[p] = I[p*2+r] * F[r]\n";
  const chained = (level: string): string =>
    `
name: grid
source: a test
symbols: { Y: 17, P: 8, R: 3 }
einsums:
  I:
    array: pe
    loops: { dram: [Y1], buffer: [Y0] }
    partitions: { Y: { Y1: rest, Y0: 4 } }
    keep: { dram: [X], ${level}: [I], registers: [X, I] }
  O:
    array: pe
    partitions: { P: { P1: rest, P0: 2 } }
    loops: { dram: [P1], buffer: [P0], registers: [R] }
    keep: { dram: [F, O], ${level}: [I], registers: [I, F, O] }
`
      .replace("dram: [X], dram: [I]", "dram: [X, I]")
      .replace("dram: [F, O], dram: [I]", "dram: [F, O, I]");

  it("find what another Einsum makes where all of it is kept, and not in a tile of a buffer", () => {
    expect(() => evaluate(designOf(chain, chained("dram"), ["I", "O"]), sizes, accounting)).not.toThrow();
    expect(() => designOf(chain, chained("buffer"), ["I", "O"])).toThrow(
      /keep it in a memory without loops outside: windows/,
    );
  });
});
