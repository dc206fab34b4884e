import { describe, expect, it } from "vitest";
import { specFiles } from "../../src/io/spec-files.js";
import { compileDesign } from "../../src/model/compile.js";
import { scheduleOfDesign } from "../../src/model/schedule/of-design.js";
import { simulateSchedule } from "../../src/model/schedule/simulate.js";
import { loadDesign, type SpecSource } from "../../src/spec/load.js";
import type { TileWork } from "../../src/spec/schedule/machine.js";
import { checkAgainst, parseSchedule, withLag } from "../../src/spec/schedule/schedule.js";

/** A schedule of FuseMax's two arrays, flat, so that a case can replace a part. */
interface Text {
  readonly tiles: Readonly<Record<string, number | string>>;
  readonly "2d": string;
  readonly "1d": string;
}
const good: Text = {
  tiles: { d: 0, c: 1, b: "c+1" },
  "2d": "(SLNV[b] | BQK[d]) -> LM[d] -> SLN[c] -> SLD[c]",
  "1d": "(SPNV[b] | RNV[b]) -> RM[d] -> PRM[d] -> SPD[c] -> RD[c] -> AV[b]",
};
interface Machine {
  readonly registers2d: number;
  readonly registers1d: number;
}
const fusemax = loadDesign(specFiles, "fusemax");
const sizes = { B: 1, H: 1, E: 4, F: 4, M: 32, queries: 12, modelDim: 1, feedForward: 1 };

/** The 2D array wants RM of a tile before it gives what the 1D array wants before it makes that RM. */
const crossed: Partial<Text> = {
  tiles: { d: 0, c: 0, b: 1 },
  "2d": "BQK[d] -> LM[d] -> SLN[c] -> SLD[c] -> SLNV[b]",
};

function simulate(text: Partial<Text>, on: Partial<Machine> = {}, over: Partial<TileWork> = {}) {
  const { registers2d = 16, registers1d = 16 } = on;
  const compiled = compileDesign(fusemax, {
    patches: [
      { path: "architecture.parameters.D", value: 4 },
      { path: "architecture.levels.registers2d.depth", value: registers2d },
      { path: "architecture.levels.registers1d.depth", value: registers1d },
    ],
  });
  const { arrays, work } = scheduleOfDesign(compiled, { sizes });
  const { tiles, ...programs } = { ...good, ...text };
  const spec = parseSchedule("mine", { tiles, programs });
  checkAgainst(spec, arrays.einsums, array => [...(compiled.arrays.get(array)?.keys() ?? [])]);
  return simulateSchedule(withLag(spec, 1), arrays, { ...work, ...over });
}

/** Each schedule that no machine can run is refused with where, what was found, what would do. */
describe("a schedule that cannot run is refused in one line", () => {
  it("takes the good one", () => expect(simulate({}).cycles).toBeGreaterThan(0));

  it.each<[string, Partial<Text>, RegExp]>([
    ["an unknown Einsum", { "2d": "QK[d] -> LM[d]" }, /2d: got QK\[d\]; expected one of BQK, LM/],
    ["a broken group", { "2d": "(SLNV[b] | BQK[d] -> LM[d]" }, /character 19: got "->"; expected "\)"/],
    ["a missing tile", { "2d": "BQK -> LM[d]" }, /character 1: got "BQK"; expected an operation such as SLN\[c\]/],
    ["nothing", { "1d": "" }, /1d, character 1: got the end/],
    ["a bad character", { "1d": "RM[d] => PRM[d]" }, /character 7: got "="; expected "->" or the end/],
    ["an unknown letter", { "2d": `${good["2d"]} -> idle(AV[z])` }, /got AV\[z\]; expected one of the letters/],
    ["a bad lag", { tiles: { d: 0, c: "soon", b: 2 } }, /tiles\.c: got "soon"; expected epochs/],
    ["a lag after nothing", { tiles: { d: 0, c: 1, b: "x+1" } }, /tiles\.b: got x\+1; expected a letter/],
    ["an Einsum twice", { "1d": `${good["1d"]} -> RM[d]` }, /got RM twice; expected each Einsum once/],
    [
      "a tensor that nothing makes",
      { "2d": "(SLNV[b] | BQK[d]) -> SLN[c] -> SLD[c]" },
      /got RM using LM, which nothing makes.*add LM to the 2d program/,
    ],
    [
      "an operation that the PEs lack",
      { "2d": `${good["2d"]} -> AV[b]`, "1d": "(SPNV[b] | RNV[b]) -> RM[d] -> PRM[d] -> SPD[c] -> RD[c]" },
      /got AV\[b\] on the 2d array, whose PEs have no divide.*move AV to the 1d program/,
    ],
    [
      "an operation on an array where the mapping does not put it",
      { "2d": "(SLNV[b] | BQK[d]) -> SLN[c] -> SLD[c]", "1d": `LM[d] -> ${good["1d"]}` },
      /got LM\[d\] on the 1d array.*the 2d array, where the mapping puts LM/,
    ],
    [
      "a value used before it is made",
      { "2d": "(SLNV[b] | BQK[d]) -> LM[d] -> SLD[c] -> SLN[c]" },
      /SLD\[c\] using SLN, which SLN\[c\] makes only later: the array waits for itself/,
    ],
    [
      "a value taken in turns with what makes no points of it",
      { "1d": "(SPNV[b] | RNV[b]) -> (RM[d] | PRM[d]) -> SPD[c] -> RD[c] -> AV[b]" },
      /PRM\[d\] using RM, which RM\[d\] makes only later: the array waits for itself/,
    ],
    [
      "a point taken in a turn before it is made",
      { "1d": "(RNV[b] | SPNV[b]) -> RM[d] -> PRM[d] -> SPD[c] -> RD[c] -> AV[b]" },
      /RNV\[b\] using SPNV, which SPNV\[b\] makes only later: the array waits for itself/,
    ],
    [
      "a point taken in a second turn, and made in a first one of later",
      { "1d": "(RM[d] | RNV[b]) -> SPNV[b] -> PRM[d] -> SPD[c] -> RD[c] -> AV[b]" },
      /RNV\[b\] using SPNV, which SPNV\[b\] makes only later: the array waits for itself/,
    ],
  ])("%s", (_, text, message) => expect(() => simulate(text)).toThrow(message));

  it("a deadlock, with what each array waits for", () =>
    expect(() => simulate(crossed)).toThrow(
      /a deadlock in cycle \d+: the 2d array waits with SLN\[c\] \(tile 1\) for RM, the 1d array waits with RNV\[b\] \(tile 0\) for SLNV/,
    ));

  it("two key tiles of the same queries too close for the schedule", () => {
    const figure4 = {
      tiles: { d: 0, c: 1, b: 2, a: 3 },
      "1d": "(SPNV[a] | RNV[a] | RM[c]) -> RD[a] -> PRM[c] -> SPD[c] -> AV[a]",
    };
    expect(simulate(figure4).cycles).toBeGreaterThan(0);
    expect(() => simulate(figure4, {}, { blockTiles: 1 })).toThrow(
      /SPD\[c\] using RD of the previous key tile \(1 tile back\), which RD\[a\] makes only later.*more query tiles per block/,
    );
  });

  it("a program for an array that a design does not have", () => {
    const source: SpecSource = {
      ...specFiles,
      read: (kind, name, from) => {
        const spec = specFiles.read(kind, name, from);
        return spec && (kind === "schedules" ? { ...spec, text: `${spec.text}\n3d: AV[b]\n` } : spec);
      },
    };
    const compiled = compileDesign(loadDesign(source, "fusemax"));
    expect(() => scheduleOfDesign(compiled, { sizes })).toThrow(
      /got a program for the array '3d'; expected one of 2d, 1d/,
    );
  });

  it("a 2D register file that is too small", () =>
    expect(() => simulate({}, { registers2d: 3 })).toThrow(
      /schedule "mine" 2d, cycle \d+: got 4 values at once in a PE's register file; expected at most 3, its depth; shorten the lags of the letters, or deepen/,
    ));

  it("a 1D register file that is too small", () =>
    expect(() => simulate({}, { registers1d: 2 })).toThrow(
      /schedule "mine" 1d, cycle \d+: got \d+ values at once in a PE's register file; expected at most 2, its depth; shorten the lags/,
    ));
});
