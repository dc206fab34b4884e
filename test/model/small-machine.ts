import fc from "fast-check";
import { noScoreTerms } from "../../src/attention/score-terms.js";
import { specFiles } from "../../src/io/spec-files.js";
import { accountingOf } from "../../src/model/corrections.js";
import { type MapperProblem, mapperProblem } from "../../src/model/mapper/problem.js";
import { loadDesign, type SpecSource } from "../../src/spec/load.js";

// Machines and cascades that are small enough to try every mapping of.

export interface Machine {
  readonly columns: number;
  readonly rows: number;
  readonly lanes: number;
  readonly bufferBytes: number;
  readonly bytesPerSecond: number;
  /** A shared level around the buffer, and cores around both. */
  readonly outerBytes?: number | undefined;
  readonly cores?: number | undefined;
  /** Lanes under each lane. */
  readonly sublanes?: number;
  /** Whether the cores are within the shared level, each with a buffer. */
  readonly coresWithin?: boolean;
  /** What levels, links and components say besides: of the buffer, of the columns, of the grid's registers. */
  readonly said?: Said;
}
interface Said {
  readonly buffer: string;
  readonly column: string;
  readonly pe: string;
}
export type Shape = Readonly<Record<"E" | "F" | "M" | "queries", number>>;

export const cascades = {
  product: "inputs: Q[e,p], K[e,m]\nS[m,p] = Q[e,p] * K[e,m]\n",
  chain: "inputs: Q[e,p], K[e,m], V[f,m]\nS[m,p] = Q[e,p] * K[e,m]\nN[m,p] = exp(S[m,p])\nO[f,p] = N[m,p] * V[f,m]\n",
  row: "inputs: X[p]\nA[p] = exp(X[p])\n",
} as const;

/** A mapping is looked for: this one only makes the design whole. */
const anyMapping = (tensors: readonly (readonly [string, readonly string[], string])[]): string =>
  `name: any\nsource: here\nsymbols: { P: queries }\neinsums:\n${tensors
    .map(
      ([name, reads, loops]) =>
        `  ${name}: { array: lanes, loops: { dram: [${loops}] }, keep: { dram: [${[name, ...reads]}], vector: [${[name, ...reads]}] } }\n`,
    )
    .join("")}`;
const mappings = {
  product: anyMapping([["S", ["Q", "K"], "P, M, E"]]),
  chain: anyMapping([
    ["S", ["Q", "K"], "P, M, E"],
    ["N", ["S"], "P, M"],
    ["O", ["N", "V"], "P, F, M"],
  ]),
  row: anyMapping([["A", ["X"], "P"]]),
} as const;

export function problemOf(machine: Machine, cascade: keyof typeof cascades, shape: Shape): MapperProblem {
  const { columns, rows, lanes, bufferBytes, bytesPerSecond, outerBytes, cores, coresWithin, sublanes, said } = machine;
  const around = [
    ...(cores === undefined ? [] : [`core: { kind: fanout, size: ${cores} }`]),
    ...(outerBytes === undefined ? [] : [`outer: { kind: sram, bytes: ${outerBytes}, rowWords: 16 }`]),
  ];
  if (coresWithin === true) around.reverse();
  // Each is within the one before it.
  const nameOf = (level: string | undefined): string => level?.split(":")[0] ?? "dram";
  const nested = around.map((level, i) => `  ${level.replace("kind:", `within: ${nameOf(around[i - 1])}, kind:`)}`);
  const files: Readonly<Record<string, string>> = {
    "designs small": `{ name: small, label: small, source: here, cascade: ${cascade}.cascade, architecture: small, mapping: small, binding: small }`,
    [`cascades ${cascade}.cascade`]: cascades[cascade],
    "mappings small": mappings[cascade],
    "bindings small": `{ name: small, source: here, phases: [{ name: all, latency: ${{ chain: "S + N + O", product: "S", row: "A" }[cascade]} }] }`,
    "architectures small": `
name: small
source: here
technology: 45nm
frequencyHz: 1e9
wordBits: 16
parameters: {}
levels:
  dram: { kind: dram, bytesPerSecond: ${bytesPerSecond} }
${nested.join("\n")}
  buffer: { kind: sram, within: ${nameOf(around.at(-1))}, bytes: ${bufferBytes}, rowWords: 16${said?.buffer ?? ""} }
  column: { kind: fanout, within: buffer, size: ${columns}${said?.column ?? ""} }
  row: { kind: fanout, within: column, size: ${rows} }
  pe: { kind: registers, within: row, depth: 4${said?.pe ?? ""} }
  lane: { kind: fanout, within: buffer, size: ${lanes} }
${sublanes === undefined ? "" : `  sublane: { kind: fanout, within: lane, size: ${sublanes} }`}
  vector: { kind: registers, within: ${sublanes === undefined ? "lane" : "sublane"}, depth: 8 }
arrays:
  grid: { at: pe, operations: { mac: 1 } }
  lanes: { at: vector, operations: { mac: 1, add: 1, max: 1, divide: 2, exp: 1 } }
`,
  };
  const source: SpecSource = {
    read: (kind, name) => {
      const text = files[`${kind} ${name}`];
      const file = `${kind} ${name} ${cascade} ${JSON.stringify(machine)}`;
      return text === undefined ? specFiles.read(kind, name) : { file, text };
    },
    names: kind => specFiles.names(kind),
  };
  const sizes = { B: 1, H: 1, modelDim: 1, feedForward: 1, ...shape };
  const at = { phase: "prefill", batch: 1, queries: shape.queries, keys: shape.M, group: 1 } as const;
  const kind = { name: null, layers: 1, window: [-1, -1] as const };
  return mapperProblem(
    loadDesign(source, "small"),
    { ...at, kind, sizes, mask: undefined, terms: noScoreTerms },
    accounting,
  );
}

export const accounting = accountingOf(undefined, ["register-energy", "first-reads"]);

export const machines: fc.Arbitrary<Machine> = fc.record({
  columns: fc.integer({ min: 1, max: 3 }),
  rows: fc.integer({ min: 1, max: 2 }),
  lanes: fc.integer({ min: 1, max: 3 }),
  bufferBytes: fc.constantFrom(8, 16, 32, 64, 4096),
  bytesPerSecond: fc.constantFrom(1e9, 1e10, 1e12),
  outerBytes: fc.constantFrom(undefined, 16, 64),
  said: fc.record({
    buffer: fc.constantFrom(
      "",
      ", buffering: double",
      ", buffering: single, latencyCycles: 3",
      ", bandwidth: { bytesPerCycle: 2 }, staticWatts: 0.001",
      ", bandwidth: { readPorts: 1, writeBytesPerCycle: 1, shared: true }, buffering: single",
    ),
    column: fc.constantFrom("", ", hopPj: 3", ", hopPj: 0.5, hopsPerWord: 2, staticWatts: 0.01"),
    pe: fc.constantFrom("", ", bandwidth: { bytesPerCycle: 1 }"),
  }),
});
