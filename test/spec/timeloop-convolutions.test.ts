import { describe, expect, it } from "vitest";
import { specFilesOf } from "../../src/spec/timeloop/spec-files.js";
import { countsOfTexts } from "./counts-of-texts.js";

// The convolutions of Timeloop's public exercises (github.com/Accelergy-Project/timeloop-accelergy-exercises, ISPASS 2020),
// their mappings, and the statistics that Timeloop printed of them: `ref-output/**/timeloop-model.stats.txt`.

/** A chain of memories from the outermost inwards, with containers of instances as `PE 16`. */
const machine = (...chain: readonly string[]): string => `
architecture:
  version: 0.4
  nodes:
${chain
  .map((own, i) => {
    const [name, instances] = own.split(" ");
    if (instances !== undefined) return `  - !Container {name: ${name}, spatial: {meshX: ${instances}}}`;
    const kind =
      i === 0
        ? "class: DRAM, attributes: {width: 64, datawidth: 8}"
        : "class: regfile, attributes: {depth: 65536, width: 8, datawidth: 8}";
    return `  - !Component {name: ${name}, ${kind}}`;
  })
  .join("\n")}
  - !Component {name: MACC, class: intmac, attributes: {width: 8}}
`;

/** `O[k,p] = W[k,c,r] * I[c,r+p]`, without the channels that have no size. */
function conv1d(sizes: Readonly<Record<string, number>>): string {
  const has = (dimension: string): string => (dimension in sizes ? `[[${dimension}]], ` : "");
  return `
problem:
  version: 0.4
  shape:
    name: convolution
    dimensions: [${Object.keys(sizes)}]
    data_spaces:
    - {name: W, projection: [${has("C")}${has("K")}[[R]]]}
    - {name: I, projection: [${has("C")}[[R], [P]]]}
    - {name: O, projection: [${has("K")}[[P]]], read_write: True}
  instance: {${Object.entries(sizes).map(([name, size]) => `${name}: ${size}`)}}
`;
}

const counts = (architecture: string, problem: string, mapping: string) =>
  countsOfTexts(
    specFilesOf({
      architecture: { file: "arch.yaml", text: architecture },
      problem: { file: "problem.yaml", text: problem },
      mapping: { file: "map.yaml", text: `mapping:\n${mapping}` },
    }),
  );

const loops = (target: string, factors: string, permutation: string, type = "temporal"): string =>
  `- {target: ${target}, type: ${type}, factors: ${factors}, permutation: ${permutation}}\n`;
const read = (reads: number, fills: number) => ({ reads, updates: 0, fills });

describe("convolutions of Timeloop's exercises", () => {
  it.each([
    ["output-stationary", loops("Main", "R=1 P=16", "PR") + loops("Buffer", "R=3 P=1", "RP")],
    ["weight-stationary", loops("Main", "R=3 P=1", "RP") + loops("Buffer", "R=1 P=16", "PR")],
  ])("01: one channel, %s: each input comes once", (_, mapping) => {
    expect(counts(machine("Main", "Buffer"), conv1d({ R: 3, P: 16 }), mapping)).toEqual({
      cycles: 48,
      accesses: {
        "Main W": read(3, 0),
        "Buffer W": read(48, 3),
        "Main I": read(18, 0),
        "Buffer I": read(48, 18),
        "Main O": { reads: 0, updates: 16, fills: 0 },
        "Buffer O": { reads: 32, updates: 48, fills: 0 },
      },
    });
  });

  it.each([
    ["one by one", 32, 1, 576],
    ["two at a time", 16, 2, 288],
  ])("02: output channels %s: the window turns back for each, and all of it comes anew", (_, outer, inner, inputs) => {
    const mapping = loops("Main", `R=1 P=16 K=${outer}`, "PRK") + loops("Buffer", `R=3 P=1 K=${inner}`, "RPK");
    expect(counts(machine("Main", "Buffer"), conv1d({ K: 32, R: 3, P: 16 }), mapping)).toEqual({
      cycles: 1536,
      accesses: {
        "Main W": read(96, 0),
        "Buffer W": read(1536, 96),
        "Main I": read(inputs, 0),
        "Buffer I": read(1536, inputs),
        "Main O": { reads: 0, updates: 512, fills: 0 },
        "Buffer O": { reads: 1024, updates: 1536, fills: 0 },
      },
    });
  });

  const three =
    loops("Main", "R=1 P=1 K=1", "PRK") +
    loops("Global", "R=1 P=16 K=16", "PRK") +
    loops("Local", "R=3 P=1 K=2", "RPK");

  it("03: three levels, and inputs that pass by the innermost", () => {
    const [architecture, problem] = [machine("Main", "Global", "Local"), conv1d({ K: 32, R: 3, P: 16 })];
    expect(counts(architecture, problem, three).accesses).toMatchObject({
      "Main I": read(18, 0),
      "Global I": read(288, 18),
      "Local I": read(1536, 288),
    });
    const bypass = `${three}- {target: Global, type: dataspace, keep: [W, I], bypass: [O]}\n- {target: Local, type: dataspace, keep: [O], bypass: [W, I]}\n`;
    expect(counts(architecture, problem, bypass).accesses).toMatchObject({
      "Main I": read(18, 0),
      "Global I": read(1536, 18),
      "Global W": read(1536, 96),
      "Local O": { reads: 1024, updates: 1536, fills: 0 },
    });
  });

  it("04: input channels over sixteen PEs; Timeloop counts each instance by itself", () => {
    const mapping =
      loops("Main", "R=1 P=1 K=1 C=1", "PRKC") +
      loops("PE", "R=1 P=1 K=1 C=16", "PRKC", "spatial") +
      loops("Global", "R=3 P=1 K=32 C=2", "PRKC") +
      loops("Local", "R=1 P=16 K=1 C=1", "RPKC");
    const problem = conv1d({ C: 32, K: 32, R: 3, P: 16 });
    expect(counts(machine("Main", "PE 16", "Global", "Local"), problem, mapping)).toMatchObject({
      cycles: 3072,
      accesses: {
        "Main I": read(576, 0),
        "Global I": read(16 * 1152, 16 * 36),
        "Local I": read(16 * 3072, 16 * 1152),
        "Local W": read(16 * 3072, 16 * 192),
        "Local O": { reads: 16 * 2560, updates: 16 * 3072, fills: 16 * 512 },
      },
    });
  });

  it("06: a layer of VGG-16 on an array like Eyeriss, rows and columns in fan-outs of their own", () => {
    const architecture = machine("DRAM", "Global", "column 14", "row 12", "Inputs", "Weights", "Sums");
    const problem = `
problem:
  version: 0.4
  shape:
    name: layer
    coefficients: [{name: Wstride, default: 1}, {name: Hstride, default: 1}]
    dimensions: [C, M, R, S, N, P, Q]
    data_spaces:
    - {name: W, projection: [[[C]], [[M]], [[R]], [[S]]]}
    - {name: I, projection: [[[N]], [[C]], [[R], [P, Wstride]], [[S], [Q, Hstride]]]}
    - {name: O, projection: [[[N]], [[M]], [[Q]], [[P]]], read_write: True}
  instance: {C: 128, M: 256, R: 3, S: 3, N: 1, P: 56, Q: 56, Wstride: 1}
`;
    const mapping = [
      "- {target: Sums, type: dataspace, keep: [O], bypass: [I, W]}\n- {target: Weights, type: dataspace, keep: [W], bypass: [I, O]}\n",
      "- {target: Inputs, type: dataspace, keep: [I], bypass: [W, O]}\n- {target: Global, type: dataspace, keep: [I, O], bypass: [W]}\n",
      loops("Sums", "M=8", "M"),
      loops("Weights", "C=8 R=3", "CR"),
      // As Timeloop's mapper writes a fan-out: as a level that keeps nothing.
      "- {target: inter_row_spatial, type: datatype, keep: [], bypass: [I, W, O]}\n",
      "- {target: inter_row_spatial, type: spatial, factors: M=4 S=3, permutation: SM, split: 2}\n",
      loops("inter_row_spatial", "M=1 S=1", "MS"),
      loops("column", "Q=14", "Q", "spatial"),
      loops("Global", "C=4 M=2 P=8", "PCM"),
      loops("DRAM", "C=4 M=4 P=7 Q=4", "MPCQ"),
    ].join("");
    // Of 5,120 inputs in the buffer 1,024 are those of the tile before, when P moves on. The exercise's statistics have
    // 573,440 fills: Timeloop then took a tile that had stood still (M) to turn when it went on. It no longer does (#297).
    const tile = 32 * 10 * 16;
    const inputs = 16 * (tile + 6 * (tile - 32 * 2 * 16));
    expect(counts(architecture, problem, mapping)).toEqual({
      cycles: 5505024,
      accesses: {
        "DRAM W": read(8257536, 0),
        "Weights W": read(168 * 5505024, 168 * 688128),
        "DRAM I": read(inputs, 0),
        "Global I": read(12042240, inputs),
        "Inputs I": read(168 * 5505024, 168 * 286720),
        "DRAM O": { reads: 2408448, updates: 3211264, fills: 0 },
        "Global O": { reads: 12042240, updates: 12845056, fills: 2408448 },
        "Sums O": { reads: 168 * 5490688, updates: 168 * 5505024, fills: 168 * 215040 },
      },
    });
  });
});
