import fc from "fast-check";
import { hidesNothing, noMask, sequenceOf } from "../../src/attention/mask.js";
import type { AttentionProblem, Operands } from "../../src/attention/problem.js";
import { generateNormal } from "../../src/emulator/generate.js";
import { roundOperands } from "../../src/emulator/operands.js";
import { specFiles } from "../../src/io/spec-files.js";
import { type CompiledDesign, compileDesign } from "../../src/model/compile.js";
import type { TileArrays } from "../../src/model/schedule/arrays.js";
import { scheduleOfDesign } from "../../src/model/schedule/of-design.js";
import { type FormatName, formatNames } from "../../src/numerics/format.js";
import { formatArithmetics } from "../../src/numerics/format-of.js";
import { loadDesign } from "../../src/spec/load.js";
import type { ArrivalSchedule, RmReturn, ScheduleMachine, TileWork } from "../../src/spec/schedule/machine.js";
import { parseSchedule, type Schedule, type ScheduleText, withLag } from "../../src/spec/schedule/schedule.js";
import { masks } from "../properties/arbitrary.js";

/** Schedules that differ in every choice the notation offers. */
export const texts: Readonly<Record<string, ScheduleText>> = {
  fusemax: {
    tiles: { d: 0, c: "auto", b: "c+1" },
    programs: {
      "2d": "(SLNV[b] | BQK[d]..) -> LM[d] -> SLN[c] -> SLD[c] -> idle(1) -> idle(AV[b])",
      "1d": "(SPNV[b] | RNV[b]) -> RM[d] -> PRM[d] -> SPD[c] -> RD[c] -> AV[b]",
    },
  },
  "figure 4": {
    tiles: { d: 0, c: "auto", b: "c+1", a: "c+2" },
    programs: {
      "2d": "(SLNV[b] | BQK[d]) -> LM[d] -> SLN[c] -> SLD[c]",
      "1d": "(SPNV[a] | RNV[a] | RM[c]) -> RD[a] -> PRM[c] -> SPD[c] -> AV[a]",
    },
  },
  "one tile": {
    tiles: { a: 0 },
    programs: {
      "2d": "BQK[a] -> LM[a] -> SLN[a] -> SLD[a] -> SLNV[a]",
      "1d": "RM[a] -> PRM[a] -> SPD[a] -> RD[a] -> (SPNV[a] | RNV[a]) -> AV[a]",
    },
  },
  "BQK first, AV interleaved": {
    tiles: { d: 0, c: "auto", b: "c+2" },
    programs: {
      "2d": "(BQK[d] | SLNV[b]) -> LM[d] -> idle(2) -> SLN[c] -> SLD[c]",
      "1d": "RM[d] -> PRM[d] -> SPD[c] -> RD[c] -> (SPNV[b] | RNV[b] | AV[b])",
    },
  },
  "SPNV before RNV": {
    tiles: { d: 0, c: "auto", b: "c+0" },
    programs: {
      "2d": "BQK[d] -> LM[d] -> SLN[c] -> (SLNV[b] | idle(3)) -> SLD[c]",
      "1d": "SPNV[b] -> RM[d] -> RNV[b] -> PRM[d] -> SPD[c] -> RD[c] -> idle(AV[b]) -> AV[b]",
    },
  },
};

export interface SmallCase {
  readonly schedule: Schedule;
  readonly machine: ScheduleMachine;
  readonly blockTiles: number;
  readonly problem: AttentionProblem;
  readonly seed: number;
  readonly arrivals: ArrivalSchedule | null;
}

const size = (max: number): fc.Arbitrary<number> => fc.integer({ min: 1, max });
const ports = fc.constantFrom(1, 2, 3, 4, Number.POSITIVE_INFINITY);
const rmReturn: fc.Arbitrary<RmReturn> = fc.oneof(
  fc.constant<RmReturn>({ by: "columns" }),
  fc.integer({ min: 0, max: 6 }).map((latencyCycles): RmReturn => ({ by: "buffer", latencyCycles })),
);

/** Random schedules on random arrays with random shapes, ragged tiles, ports and arrivals among them. */
export function smallCases(largestSide: number): fc.Arbitrary<SmallCase> {
  return fc
    .record({
      name: fc.constantFrom(...Object.keys(texts)),
      lag: fc.integer({ min: 1, max: 4 }),
      rows: size(largestSide),
      columns: size(largestSide),
      headDim: size(9),
      valueDim: size(9),
      batch: size(2),
      kvHeads: size(2),
      group: size(2),
      queries: size(3 * largestSide),
      keys: size(3 * largestSide),
      blockTiles: size(3),
      readPorts: ports,
      writePorts: ports,
      rmReturn,
      divideCycles: size(3),
      format: fc.constantFrom<FormatName>(...formatNames),
      seed: fc.nat(),
      gaps: fc.option(fc.array(fc.nat({ max: 60 }), { minLength: 1, maxLength: 12 }), { nil: null }),
    })
    .map(c => {
      const { rows, columns, headDim, valueDim, batch, kvHeads, group, queries, keys, blockTiles, gaps } = c;
      const heads = kvHeads * group;
      const text = texts[c.name] as ScheduleText;
      const machine = {
        rows,
        columns,
        readPorts: c.readPorts,
        writePorts: c.writePorts,
        rmReturn: c.rmReturn,
        divideCycles: c.divideCycles,
        registers2d: Number.POSITIVE_INFINITY,
        registers1d: Number.POSITIVE_INFINITY,
      };
      return {
        schedule: withLag(parseSchedule(c.name, text), c.lag),
        machine,
        blockTiles,
        problem: {
          shape: { batch, heads, kvHeads, queries, keys, headDim, valueDim },
          mask: noMask,
          tile: { m0: rows, p0: columns },
          arithmetic: formatArithmetics[c.format],
          scale: 1 / Math.sqrt(headDim),
        },
        seed: c.seed,
        arrivals:
          gaps === null ? null : arrivalsWith(gaps, machine, { heads: batch * heads, queries, keys, blockTiles }),
      };
    });
}

/** The same with causal masks, windows, and batches of several lengths. */
export const maskedCases = (largestSide: number): fc.Arbitrary<SmallCase> =>
  smallCases(largestSide).chain(c =>
    fc
      .oneof(masks(c.problem.shape), fc.constant({ ...noMask, right: 0 }))
      .map(mask => ({ ...c, arrivals: null, problem: { ...c.problem, mask } })),
  );

/** Tiles that arrive one after the other with these gaps between them, over and over. */
function arrivalsWith(
  gaps: readonly number[],
  machine: ScheduleMachine,
  work: { readonly heads: number; readonly queries: number; readonly keys: number; readonly blockTiles: number },
): ArrivalSchedule {
  const queryTiles = Math.ceil(work.queries / machine.columns);
  const blocks = Math.ceil(queryTiles / work.blockTiles);
  const keyTiles = Math.ceil(work.keys / machine.rows);
  const running = (count: number, offset: number): readonly number[] => {
    let cycle = 0;
    return Array.from({ length: count }, (_, i) => {
      cycle += gaps[(i + offset) % gaps.length] ?? 0;
      return cycle;
    });
  };
  const loads = work.heads * blocks * keyTiles;
  return { Q: running(work.heads * queryTiles, 0), BK: running(loads, 1), BV: running(loads, 2) };
}

export function operandsOf({ problem, seed }: SmallCase): Operands {
  const { batch, heads, kvHeads, queries, keys, headDim, valueDim } = problem.shape;
  const inputs = {
    q: generateNormal(seed, "q", batch * heads * queries * headDim),
    k: generateNormal(seed, "k", batch * kvHeads * keys * headDim),
    v: generateNormal(seed, "v", batch * kvHeads * keys * valueDim),
  };
  return roundOperands(inputs, problem.shape, problem.arithmetic);
}

const fusemax = loadDesign(specFiles, "fusemax");
const compiledWith = new Map<string, CompiledDesign>();

/**
 * FuseMax with fields of other values, compiled once for all numbers of the same fields; words (`unlimited`, `columns`) are
 * compiled for themselves. Gives the values of its variables too.
 */
export function fusemaxWith(fields: Readonly<Record<string, number | string>>) {
  const all = Object.entries(fields);
  const numbers = all.flatMap(([, value]) => (typeof value === "number" ? [value] : []));
  let variables = 0;
  const patches = all.map(([path, value]) => ({ path, value: typeof value === "number" ? `@${variables++}` : value }));
  const key = JSON.stringify(patches);
  const compiled = compiledWith.get(key) ?? compileDesign(fusemax, { patches, variables });
  compiledWith.set(key, compiled);
  return { compiled, variables: numbers };
}

/** What the tile-level simulation derives from FuseMax's design with the case's arrays and sizes. */
export function tilesOf({ machine, blockTiles, problem }: SmallCase): {
  readonly arrays: TileArrays;
  readonly work: TileWork;
} {
  const { rows, columns, readPorts, writePorts, rmReturn, divideCycles } = machine;
  const ports = (count: number): number | string => (Number.isFinite(count) ? count : "unlimited");
  const { compiled, variables } = fusemaxWith({
    "architecture.parameters.rows": rows,
    "architecture.parameters.columns": columns,
    "architecture.timing.bufferReadRows": ports(readPorts),
    "architecture.timing.bufferWriteRows": ports(writePorts),
    "architecture.timing.rmReturn": rmReturn.by === "columns" ? "columns" : rmReturn.latencyCycles,
    "architecture.arrays.1d.operations.divide": divideCycles,
    "architecture.levels.registers2d.depth": 1e6,
    "architecture.levels.registers1d.depth": 1e6,
    // Every head has keys of its own in the array: it knows no blocks of heads.
    "mapping.symbols.packed": 1,
    "mapping.symbols.headTiles": 1,
    "mapping.symbols.queryTiles": blockTiles,
  });
  const { batch: B, kvHeads: H, heads, headDim: E, valueDim: F, keys: M, queries } = problem.shape;
  const sizes = { B, H, E, F, M, queries, modelDim: 1, feedForward: 1, group: heads / H };
  const { arrays, work } = scheduleOfDesign(compiled, { sizes, variables });
  const { mask } = problem;
  if (hidesNothing(mask)) return { arrays, work };
  // Batch by batch, as the array goes; each query head is a head of its own.
  const sequences = Array.from({ length: B }, (_, b) => sequenceOf(problem, b));
  return {
    arrays,
    work: { ...work, sequences: sequences.map(({ queries: rows, keys }) => ({ count: 1, rows, keys })), window: mask },
  };
}
