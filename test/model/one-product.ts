import { specFiles } from "../../src/io/spec-files.js";
import { type CompiledDesign, compileDesign } from "../../src/model/compile.js";
import { accountingOf } from "../../src/model/corrections.js";
import { type Evaluation, evaluate, type MappedDesign, mapDesign } from "../../src/model/evaluate.js";
import { loadDesign, type SpecSource } from "../../src/spec/load.js";

// One small product whose words, cycles and energies are counted by hand:
// Y[P,F] = X[P,E] * W[E,F] with P = 128, E = 16, F = 8 on four cores of eight PEs.

const texts: Readonly<Record<string, string>> = {
  "designs small": "{ name: small, label: small, source: here, architecture: small, mapping: small, binding: small }",
  "architectures small": `
name: small
source: here
technology: 45nm
frequencyHz: 1e9
wordBits: 16
parameters: {}
levels:
  dram: { kind: dram, bytesPerSecond: 1e12 }
  core: { kind: fanout, within: dram, size: 4 }
  l1: { kind: sram, within: core, bytes: 64 * KiB, rowWords: 4 }
  pe: { kind: fanout, within: l1, size: 8 }
  rf: { kind: registers, within: pe, depth: 4 }
arrays: { grid: { at: rf, operations: { mac: 1, exp: 4 } } }
`,
  "mappings small": `
name: small
source: here
symbols: { P: queries }
tensors: { X: [P, E], W: [E, F], Y: [P, F] }
partitions: { P: { P3: rest, P2: 4, P1: 2, P0: 8 } }
einsums:
  Y:
    array: grid
    inputs: [X, W]
    output: Y
    operations: { mac: 1 }
    loops: { dram: [P3], core: [P2], l1: [P1, F, E], pe: [P0] }
    keep: { dram: [X, W, Y], l1: [X, W, Y], rf: [X, W, Y] }
`,
  "bindings small": "{ name: small, source: here, phases: [{ name: all, latency: Y }] }",
};

export type Change = readonly [from: string | RegExp, to: string];

export interface Modelled {
  readonly design: CompiledDesign;
  readonly mapped: MappedDesign;
  readonly evaluation: Evaluation;
}

export const evaluateWith = (changes: readonly Change[], sizes = {}): Evaluation =>
  modelWith(changes, sizes).evaluation;

/** The product with its texts changed, under the accounting of all register files and true first reads if not another. */
export function modelWith(
  changes: readonly Change[],
  sizes = {},
  corrections: readonly string[] = ["register-energy", "first-reads"],
): Modelled {
  const changed = Object.fromEntries(
    Object.entries(texts).map(([name, text]) => [name, changes.reduce((t, [from, to]) => t.replace(from, to), text)]),
  );
  const source: SpecSource = {
    read: (kind, name) => {
      const text = changed[`${kind} ${name}`];
      return text === undefined ? specFiles.read(kind, name) : { file: `${name}.${kind}.${text.length}`, text };
    },
    names: kind => specFiles.names(kind),
  };
  const accounting = accountingOf(undefined, corrections);
  const design = compileDesign(loadDesign(source, "small"), { corrections });
  const shape = { B: 1, H: 1, E: 16, F: 8, M: 1, queries: 128, modelDim: 1, feedForward: 1, ...sizes };
  return { design, mapped: mapDesign(design, shape, accounting), evaluation: evaluate(design, shape, accounting) };
}

export const level = (name: string, fields: string): Change => [
  new RegExp(`(  ${name}: \\{ kind[^}]*)\\}`),
  `$1, ${fields} }`,
];

/** Two iterations of P3, two of P1, eight of F, sixteen of E. */
export const steps = 2 * 2 * 8 * 16;
/** Words that one l1 reads: X for each of 8 PEs in each step, W once a step for all; Y comes back from no PE. */
export const l1Reads = 8 * steps + steps;
/** Words that one l1 is sent: X tile by tile, W once, and each PE's sums. */
export const l1Writes = 2 * (2 * 8 * 16) + 16 * 8 + 8 * (2 * 2 * 8);
