import { noScoreTerms } from "../../../src/attention/score-terms.js";
import { type Cascade, parseCascade } from "../../../src/einsum/cascade.js";
import { specFiles } from "../../../src/io/spec-files.js";
import type { AttentionPoint } from "../../../src/model/attention-point.js";
import { accountingOf } from "../../../src/model/corrections.js";
import { type MapperProblem, mapperProblem } from "../../../src/model/mapper/problem.js";
import type { DeclaredOperations } from "../../../src/spec/declared-operations.js";
import { loadDesign, type SpecSource } from "../../../src/spec/load.js";

// Cascades and machines that have what the mapper knows of, each as small as can be.

export const cascades = {
  product: "inputs: Q[e,p], K[e,m]\nS[m,p] = Q[e,p] * K[e,m]\n",
  // What is read twice, and what may take its place.
  softmax: "GM = X[m] :: max(m)\nSN[m] = exp(X[m] - GM)\nSD = SN[m]\nY[m] = SN[m] / SD\n",
  // A maximum and a sum that go on from tile to tile; the sum passes two Einsums.
  steps: `inputs: X[m]
ranks: M = M1 * M0
Initialization:
  BX[m1,m0] = X[m1*M0+m0]
  R[m1=0] = -inf
  D[m1=0] = 0
Extended Einsums:
  L[m1] = BX[m1,m0] :: max(m0)
  R[m1+1] = max(R[m1], L[m1])
  N[m1,m0] = exp(BX[m1,m0] - R[m1+1])
  T[m1] = N[m1,m0]
  W[m1] = D[m1] * R[m1]
  D[m1+1] = T[m1] + W[m1]
  Y = D[M1] / R[M1]
until: m1 >= M1
`,
  rows: "inputs: X[m,p]\nN[m,p] = exp(X[m,p])\nT[p] = N[m,p]\n",
  batched:
    "# roles: q=Q, k=K, v=V, out=O\ninputs: Q[e,p], K[e,m], V[f,m]\nS[m,p] = Q[e,p] * K[e,m]\nO[f,p] = S[m,p] * V[f,m]\n",
} as const;

const grid = (buffer: string, file: string, around = "dram", more = "") => `
  dram: { kind: dram, bytesPerSecond: 1e10 }
${more}
  buffer: { kind: sram, within: ${around}, rowWords: 16, ${buffer} }
  column: { kind: fanout, within: buffer, size: 2 }
  row: { kind: fanout, within: column, size: 2 }
  pe: { kind: registers, within: row, ${file} }
  lane: { kind: fanout, within: buffer, size: 2 }
  vector: { kind: registers, within: lane, depth: 8 }
`;
const gridArrays = `
  grid: { at: pe, operations: { mac: 1, add: 2, max: 1 } }
  lanes: { at: vector, operations: { mac: 1, add: 1, max: 1, divide: 2, exp: 2 } }
`;
const withinShared = (product: number) => `
  dram: { kind: dram, bytesPerSecond: 4e9, latencyCycles: 5 }
  l2: { kind: sram, within: dram, bytes: 96, rowWords: 16, bandwidth: { readBytesPerCycle: 8 }, latencyCycles: 2 }
  sm: { kind: fanout, within: l2, size: 2 }
  near: { kind: sram, within: sm, bytes: 64, rowWords: 16, bandwidth: { bytesPerCycle: 4 }, latencyCycles: 1 }
  file: { kind: registers, within: near, depth: 64 }
  coreRow: { kind: fanout, within: file, size: 2 }
  product: { kind: fanout, within: coreRow, size: ${product} }
  operand: { kind: registers, within: product, depth: 2 }
  lane: { kind: fanout, within: file, size: 2 }
  vector: { kind: registers, within: lane, depth: 32, sameAs: file }
`;
const sharedArrays = `
  tensor: { at: operand, operations: { mac: 1 } }
  fp32: { at: vector, operations: { mac: 1, add: 1, max: 1, exp: 2, divide: 3 } }
`;
/** Levels and arrays, and what an architecture says besides. */
export const machines = {
  grid: [grid("bytes: 64", "depth: 4"), gridArrays],
  timed: [
    grid(
      "bytes: 96, buffering: double, staticWatts: 0.001, bandwidth: { bytesPerCycle: 2 }, latencyCycles: 3",
      "depth: 4",
    ).replace("size: 2 }", "size: 2, hopPj: 3 }"),
    gridArrays,
  ],
  nested: [
    grid(
      "bytes: 32",
      "depth: 4",
      "middle",
      "  outer: { kind: sram, within: dram, bytes: 128, rowWords: 16 }\n  middle: { kind: sram, within: outer, bytes: 64, rowWords: 16 }",
    ),
    gridArrays,
  ],
  cores: [
    `
  dram: { kind: dram, bytesPerSecond: 1e10 }
  core: { kind: fanout, within: dram, size: 2 }
  buffer: { kind: sram, within: core, bytes: 24, rowWords: 16 }
  lane: { kind: fanout, within: buffer, size: 2 }
  vector: { kind: registers, within: lane, depth: 8 }
`,
    "\n  lanes: { at: vector, operations: { mac: 1, add: 1, max: 1, divide: 2, exp: 2 } }\n",
  ],
  uneven: [
    grid("bytes: 256", "depth: 4").replace(
      "lane: { kind: fanout, within: buffer, size: 2 }",
      "lane: { kind: fanout, within: buffer, size: 4 }",
    ),
    gridArrays,
  ],
  // Cores around a file of all lanes, within a shared level; arrays of several shapes that drain into that file.
  shared: [withinShared(4), sharedArrays],
  wide: [withinShared(16), sharedArrays],
  even: [withinShared(2), sharedArrays],
  // Nothing waits for words.
  fast: [
    withinShared(2)
      .replace("4e9", "4e12")
      .replace("BytesPerCycle: 8", "BytesPerCycle: 800")
      .replace("bytesPerCycle: 4", "bytesPerCycle: 400"),
    sharedArrays,
  ],
  // Everything waits for the buffer.
  late: [grid("bytes: 96, latencyCycles: 40", "depth: 4"), gridArrays],
} as const satisfies Readonly<Record<string, readonly [levels: string, arrays: string]>>;

/** SN as a difference of what nobody has said and an exponential of that, and Y as a product. */
const inParts: readonly DeclaredOperations[] = [
  { name: "D", index: 1, isPart: true, array: "lanes", operations: { add: "1" }, source: undefined },
  { name: "N", index: 1, isPart: true, array: "lanes", operations: { exp: "1" }, source: "here" },
  { name: "Y", index: 3, isPart: false, array: "lanes", operations: { mac: "1" }, source: "there" },
] as unknown as readonly DeclaredOperations[];

export interface Invented {
  readonly cascade: keyof typeof cascades;
  readonly machine: keyof typeof machines;
  readonly sizes: Partial<AttentionPoint["sizes"]>;
  readonly group?: number;
  readonly technology?: "none";
  readonly inParts?: boolean;
  readonly isSchedulable?: boolean;
  readonly corrections?: Parameters<typeof accountingOf>[1];
}

const known = new Map<string, Cascade>();
function cascadeOf(name: keyof typeof cascades): Cascade {
  const found = known.get(name) ?? parseCascade(cascades[name], name);
  known.set(name, found);
  return found;
}

export const accountingIn = ({ corrections = ["register-energy", "first-reads"] }: Invented) =>
  accountingOf(undefined, corrections);

export function inventedProblem(one: Invented): MapperProblem {
  const { cascade, machine, sizes, group = 1, isSchedulable = false, technology = "45nm" } = one;
  const [levels, arrays] = machines[machine];
  const files: Readonly<Record<string, string>> = {
    "designs small":
      "{ name: small, label: small, source: here, cascade: any.cascade, architecture: small, mapping: small, binding: small }",
    "cascades any.cascade": "inputs: X[p]\nA[p] = exp(X[p])\n",
    "mappings small":
      "{ name: any, source: here, symbols: { P: queries }, einsums: { A: { array: some, loops: { dram: [P] }, keep: { dram: [A, X], some: [A, X] } } } }",
    "bindings small": "{ name: small, source: here, phases: [{ name: all, latency: A }] }",
    "architectures small": `name: small\nsource: here\ntechnology: ${technology}\nfrequencyHz: 1e9\nwordBits: 16\nparameters: {}\nlevels:${levels}  some: { kind: registers, within: dram, depth: 8 }\narrays:${arrays}  some: { at: some, operations: { exp: 1 } }\n`,
  };
  const source: SpecSource = {
    read: (kind, name) => {
      const text = files[`${kind} ${name}`];
      return text === undefined
        ? specFiles.read(kind, name)
        : { file: `${kind} ${name} invented ${machine} ${technology}`, text };
    },
    names: kind => specFiles.names(kind),
  };
  const design = loadDesign(source, "small");
  const { some: _, ...others } = design.architecture.data.arrays;
  const { some: __, ...within } = design.architecture.data.levels;
  const architecture = {
    ...design.architecture,
    data: { ...design.architecture.data, arrays: others, levels: within },
  };
  const all = { B: 1, H: 1, modelDim: 1, feedForward: 1, E: 1, F: 1, M: 1, queries: 1, ...sizes };
  const point: AttentionPoint = {
    ...{ phase: "prefill", batch: all.B, queries: all.queries, keys: all.M, group, sizes: { ...all, group } },
    ...{ mask: undefined, terms: noScoreTerms, kind: { name: null, layers: 1, window: [-1, -1] } },
  } as AttentionPoint;
  return mapperProblem(
    { ...design, architecture, cascade: cascadeOf(cascade), declared: one.inParts === true ? inParts : [] },
    point,
    accountingIn(one),
    [],
    isSchedulable,
  );
}
