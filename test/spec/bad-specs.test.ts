import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { SpecError } from "../../src/errors.js";
import { specFiles } from "../../src/io/spec-files.js";
import { compileDesign } from "../../src/model/compile.js";
import { evaluate } from "../../src/model/evaluate.js";
import { sizesOf } from "../../src/model/sizes.js";
import { loadDesign, loadWorkload, type SpecKind, type SpecSource } from "../../src/spec/load.js";

const bert = loadWorkload(specFiles, "bert");

/** FuseMax with one of its files changed: the first occurrence of `from` in it becomes `to`. */
function changed(kind: SpecKind, from: string | RegExp, to: string, name = "fusemax"): SpecSource {
  return {
    names: specFiles.names,
    read(asked, wanted, by) {
      const spec = specFiles.read(asked, wanted, by);
      if (spec === undefined || asked !== kind || wanted !== name) return spec;
      const text = spec.text.replace(from, to);
      expect(text, `${from} in ${spec.file}`).not.toBe(spec.text);
      return { file: `${kind}.yaml`, text };
    },
  };
}

/** What modelling BERT at 4K on the changed design complains about. */
function complaint(source: SpecSource): string {
  try {
    evaluate(compileDesign(loadDesign(source, "fusemax")), sizesOf(bert, 4096));
  } catch (error) {
    if (error instanceof SpecError) return error.message;
    throw error;
  }
  throw new Error("nothing was wrong with it");
}

/** Each case: which file, what is changed, and the one line that says place, finding and fix. */
const cases: Readonly<Record<string, readonly [kind: SpecKind, from: string | RegExp, to: string, message: RegExp]>> = {
  "an unknown key": [
    "architectures",
    "frequencyHz:",
    "frequencyGhz:",
    /^architectures\.yaml:\d+:1 frequencyGhz: got the unknown key 'frequencyGhz'; expected only known keys/,
  ],
  "a missing key": [
    "architectures",
    /^wordBits: 16\n/m,
    "",
    /^architectures\.yaml:1:1 wordBits: got nothing; expected a number; add it \(Bits of a word\)/,
  ],
  "a wrong type": [
    "architectures",
    "within: dram, bytes: 16 * MiB",
    "within: dram, bytes: [16]",
    /^architectures\.yaml:\d+:\d+ levels\.buffer\.bytes: got \[16\]; expected a number or a formula/,
  ],
  "a kind of level that does not exist": [
    "architectures",
    "kind: sram",
    "kind: flash",
    /^architectures\.yaml:\d+:\d+ levels\.buffer\.kind: got "flash"; expected /,
  ],
  "text that is no YAML": ["mappings", "tensors:", "tensors: [", /^mappings\.yaml:\d+:\d+: got .*; expected YAML/],
  "a key twice": [
    "mappings",
    "source:",
    "name: other\nsource:",
    /^mappings\.yaml:4:1: got the key 'name' twice; expected each key once; remove one of the two$/,
  ],
  "a tensor that no level keeps": [
    "mappings",
    "keep: { spill: [LM], registers2d: [BQK, LM] }",
    "keep: { spill: [LM], registers2d: [LM] }",
    /^mappings\.yaml:\d+:\d+ einsums\.LM\.keep: no level that keeps BQK; expected BQK kept at one of dram, buffer/,
  ],
  "a level that keeps what the Einsum lacks": [
    "mappings",
    "keep: { spill: [LM], registers2d: [BQK, LM] }",
    "keep: { spill: [RM], registers2d: [BQK, LM] }",
    /einsums\.LM\.keep\.spill: got the tensor 'RM'; expected one of its tensors BQK, LM/,
  ],
  "a level that does not exist": [
    "mappings",
    "keep: { spill: [LM]",
    "keep: { l2: [LM]",
    /einsums\.LM\.keep\.l2: got the level 'l2'; expected a level above the 2d array: dram, buffer, spill/,
  ],
  "a tile that does not fit its buffer": [
    "architectures",
    "bytes: 16 * MiB",
    "bytes: 1 * KiB",
    /^specs\/mappings\/fusemax\.yaml:\d+:\d+ einsums: got tiles of 132096 bytes in buffer for phase attention, 131072 bytes over its 1024; expected tiles that fit buffer; make the tile of/,
  ],
  "spatial factors larger than the array": [
    "mappings",
    "P0: columns }",
    "P0: 512 }",
    /einsums\.BQK\.loops\.column: got a spatial factor of 512 over column, which has 256; expected at most 256/,
  ],
  "loop bounds that do not cover their rank": [
    "mappings",
    "M: { M1: rest, M0: rows }",
    "M: { M1: 4, M0: rows }",
    /partitions\.M: got loop bounds that cover 1024 of M = 4096; expected bounds whose product reaches the rank; make the outermost bound 'rest'/,
  ],
  "a rank without its loop": [
    "mappings",
    "column: [P0], row: [M0] }\n    keep: { dram: [Q, BK]",
    "column: [P0], row: [] }\n    keep: { dram: [Q, BK]",
    /einsums\.BQK\.loops: no loop over M0; expected loops that cover BQK\[m1,m0,p\] = Q\[e,p\] \* BK\[e,m1,m0\]; put M0 among the loops of a level/,
  ],
  "a loop twice": [
    "mappings",
    "buffer: [G1, P1, E], column: [P0]",
    "buffer: [G1, P1, E, P1], column: [P0]",
    /einsums\.BQK\.loops\.buffer: got the loop P1 twice; expected each loop once/,
  ],
  "parts inside out": [
    "mappings",
    "dram: [B, H, G2, P2, M1], buffer: [G1, P1, E]",
    "dram: [B, H, G2, P1, M1], buffer: [G1, P2, E]",
    /einsums\.BQK\.loops\.buffer: got the loop P2 inside P1; expected the parts of a rank outermost first, P2 around P1 around P0/,
  ],
  "a circle between levels": [
    "architectures",
    "kind: sram, within: dram",
    "kind: sram, within: spill",
    /levels\.spill\.within: got a circle of levels: buffer within spill within buffer; expected levels that end at DRAM/,
  ],
  "a level within nothing": [
    "architectures",
    "kind: sram, within: dram",
    "kind: sram, within: disk",
    /levels\.buffer\.within: got the unknown level 'disk'; expected one of the levels dram, buffer/,
  ],
  "registers that are the same as none": [
    "architectures",
    "sameAs: registers1d",
    "sameAs: register1d",
    /levels\.spill\.sameAs: got 'register1d'; expected one of the register files spill, registers2d, registers1d/,
  ],
  "a unit that is no factor": [
    "architectures",
    "bytes: 16 * MiB",
    "bytes: 16 MiB",
    /levels\.buffer\.bytes: got MiB at character 3 of '16 MiB'; expected an operator or the end; a unit is a factor: 8 \* MiB/,
  ],
  "a circle between symbols": [
    "mappings",
    "Pt: ceil(P / columns)",
    "Pt: ceil(limit / columns) + queryTiles",
    /got a circle of symbols: .*Pt.* -> .*; expected no circle/,
  ],
  "an unknown name in a formula": [
    "mappings",
    "Pt: ceil(P / columns)",
    "Pt: ceil(P / cols)",
    /^mappings\.yaml:\d+:\d+ symbols\.Pt: got the unknown name 'cols'; expected one of \S.* and \d+ others in the design's sizes, symbols and constants/,
  ],
  "a formula that breaks off": [
    "mappings",
    "Pt: ceil(P / columns)",
    "Pt: ceil(P / )",
    /symbols\.Pt: got \) at character \d+ of 'ceil\(P \/ \)'; expected a number, a name or '\('/,
  ],
  "a loop bound that is no whole number": [
    "mappings",
    "M0: rows }",
    "M0: rows / 3 }",
    /partitions\.M: got .*of M; expected a whole number/,
  ],
  "a negative energy": [
    "technologies",
    "energyPj: 17.1645",
    "energyPj: -17.1645",
    /operations\.mac\.energyPj: got -17\.1645; expected a number of at least 0$/,
  ],
  "a table that is not one": [
    "technologies",
    "256 512 14.3158 44.5186 53741.5",
    "256 512 14.3158 44.5186",
    /sram\.table: got .*; expected rows of five positive numbers/,
  ],
  "a table with a word in it": [
    "technologies",
    "256 512 14.3158 44.5186 53741.5",
    "256 512 much 44.5186 53741.5",
    /sram\.table: got .*; expected numbers, not '256 512 much 44\.5186 53741\.5'/,
  ],
  "an operation that the array lacks": [
    "mappings",
    "    array: 2d\n    loops: &tile2d",
    "    array: 2d\n    operations: { divide: 1 }\n    source: none\n    loops: &tile2d",
    /einsums\.LM\.operations\.divide: got divide on the 2d array, which lacks it; expected one of its operations mac, add, max/,
  ],
  "two memories outside the chip": [
    "architectures",
    "levels:\n",
    "levels:\n  disk: { kind: dram, bytesPerSecond: 1e9 }\n",
    /levels\.dram: got two levels of the kind dram, disk and dram; expected one, around all others/,
  ],
  "an array at a level that does not exist": [
    "architectures",
    "at: registers2d",
    "at: registers3d",
    /arrays\.2d\.at: got the unknown level registers3d; expected the registers or the buffer that feed it, one of dram, buffer, spill/,
  ],
  "half an instance": [
    "architectures",
    "lane: { kind: fanout, within: buffer, size: columns }",
    "lane: { kind: fanout, within: buffer, size: columns + 0.5 }",
    /levels\.lane\.size: got 256\.5; expected a whole number of at least 1/,
  ],
  "no bandwidth, though a correction changes it": [
    "architectures",
    "bytesPerSecond: 400 * GiB",
    "bytesPerSecond: 0",
    /levels\.dram\.bytesPerSecond: got 0; expected a number above 0/,
  ],
  "a bandwidth of nothing": [
    "architectures",
    "rowWords: columns }",
    "rowWords: columns, bandwidth: {} }",
    /levels\.buffer\.bandwidth: got \{\}; expected a number of bytes or of ports, or no bandwidth/,
  ],
  "an Einsum that never runs": [
    "bindings",
    "SLN + SLD",
    "SLN",
    /^bindings\.yaml:\d+:\d+ phases: no phase that runs SLD; expected every Einsum of the mapping fusemax; put SLD into a phase's latency/,
  ],
  "a binding of an Einsum that is not there": [
    "bindings",
    "RNV",
    "RNW",
    /^bindings\.yaml:\d+:\d+ phases\.0\.latency: got the unknown name 'RNW'/,
  ],
  "an architecture that is not there": [
    "designs",
    "architecture: fusemax",
    "architecture: gpu",
    /^designs\.yaml:\d+:\d+ architecture: got "gpu"; expected one of .* or a YAML file/,
  ],
};

describe("a spec that is wrong is refused in one line with its place:", () => {
  it.each(Object.entries(cases))("%s", (_, [kind, from, to, message]) => {
    const name = kind === "technologies" ? "45nm" : "fusemax";
    const said = complaint(changed(kind, from, to, name));
    expect(said).toMatch(message);
    expect(said).not.toContain("\n");
  });

  it("negative and absurd energies given as formulas, too", () => {
    const source = changed(
      "architectures",
      "rowWords: columns }",
      "rowWords: columns, energyPj: { read: 0 - 5, write: 1 } }",
    );
    expect(complaint(source)).toMatch(/levels\.buffer\.energyPj\.read: got -5; expected a number of at least 0/);
    expect(complaint(changed("architectures", "940e6", "0"))).toMatch(/frequencyHz: got 0; expected a number above 0/);
    expect(complaint(changed("architectures", "400 * GiB", "0"))).toMatch(
      /levels\.dram\.bytesPerSecond: got 0; expected/,
    );
  });
});

it("a sequence that the tile does not divide is modelled with partial tiles, never rounded", () => {
  const compiled = compileDesign(loadDesign(specFiles, "fusemax"));
  const at = (seq: number) => evaluate(compiled, sizesOf(bert, seq)).counts.find(c => c.name === "BQK");
  // 1,000 tokens: 4 tiles of 256 each way in time, 1,000 x 1,000 scores in work.
  expect(at(1000)?.iterations).toBe(at(1024)?.iterations);
  expect(at(1000)?.points).toBe(64 * 12 * 1000 * 1000 * 64);
});

it("the places that messages give are those of the files", () => {
  const text = readFileSync(new URL("../../specs/mappings/fusemax.yaml", import.meta.url), "utf8");
  const { mapping } = loadDesign(specFiles, "fusemax");
  const [, line, column] = /:(\d+):(\d+) /.exec(mapping.at(["einsums", "SLNV", "array"])) ?? [];
  expect(text.split("\n")[Number(line) - 1]?.slice(Number(column) - 1)).toBe("array: 2d");
});
