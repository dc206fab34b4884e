import type { AttentionProblem } from "../../attention/problem.js";
import { DeviceError, howMany } from "../../errors.js";
import { formatNames } from "../../numerics/format.js";
import { requireFormat } from "../../numerics/format-of.js";
import { exponentFactor } from "../../numerics/pe.js";

/** Queries that the kernels compute side by side. */
export const lanes = 8;

/**
 * The WebAssembly kernels (assembly/attention.ts, where each is documented) set up for one problem. A lane group is
 * eight queries side by side; addresses are in bytes.
 */
export interface Kernels extends Functions {
  /** Lane groups that fit. */
  readonly laneGroups: number;
  /** Whether a whole key tile is packed at a time, and if not, how many of its keys are. */
  readonly wholeTile: boolean;
  readonly keysAtOnce: number;
  /** Where rows are copied in and out. */
  readonly stage: number;
  /**
   * Has the kernels store, from here on, what else stays in registers, and gives where: LM, SPD, then SPNV, eight lanes each.
   * @throws DeviceError when the memory cannot be had.
   */
  dumpTo(): number;
  /** A field of a lane group's state: eight fp32 or i32, one per lane. */
  fieldAt(laneGroup: number, field: StateField): number;
}

/** What a lane group carries (assembly/memory.ts). */
export type StateField =
  | "maxima"
  | "denominators"
  | "corrections"
  | "numeratorSums"
  | "seenFrom"
  | "seenTo"
  | "keyStarts"
  | "keyEnds"
  | "queryTiles";

interface Functions {
  readonly memory: WebAssembly.Memory;
  loadQueries(laneGroup: number, count: number): void;
  packKeys(count: number): void;
  packValues(count: number): void;
  passTile(laneGroupCount: number, firstKey: number, count: number): void;
  beginTile(counted: number): void;
  takeTiles(): number;
  lookAt(laneGroupCount: number, firstKey: number, count: number): void;
  scores(laneGroupCount: number, first: number, count: number): void;
  scoresByQuery(queryCount: number, first: number, count: number): void;
  softmax(laneGroupCount: number): void;
  values(laneGroupCount: number, first: number, count: number): void;
  valuesByQuery(queryCount: number, first: number, count: number): void;
  update(laneGroupCount: number): void;
  finish(laneGroup: number, count: number): number;
  /** What Q is multiplied by in strict formats; scores and, for fp16-strict, numerators carry it too. */
  queryScale(): number;
  /** Where a lane group's scores of the tile are, [m0, 8]. */
  scoresOf(laneGroup: number): number;
  /** Where its SLNV and RNV are, [F, 8]. */
  sumsOf(laneGroup: number): number;
  outputsOf(laneGroup: number): number;
}

interface Exports extends Functions, Readonly<Record<StateField, WebAssembly.Global>> {
  configure(
    format: number,
    factor: number,
    headDim: number,
    valueDim: number,
    tileKeys: number,
    budget: number,
  ): number;
  stateOf(laneGroup: number): number;
  placeDump(): number;
  readonly dumped: WebAssembly.Global;
  readonly laneGroups: WebAssembly.Global;
  readonly wholeTile: WebAssembly.Global;
  readonly keysAtOnce: WebAssembly.Global;
  readonly stage: WebAssembly.Global;
}

/** Bytes that the lane groups of all workers may take together. */
export const memoryBudget = 2 ** 26;

/** @throws DeviceError when the memory cannot be had. */
async function instantiate(module: WebAssembly.Module): Promise<WebAssembly.Instance> {
  try {
    return await WebAssembly.instantiate(module, {});
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new DeviceError(
      {
        where: "engine wasm",
        got: "no memory for WebAssembly",
        expected: "10 GiB of address space for each thread",
        fix: "raise the limit (ulimit -v), or use --engine cpu",
      },
      { cause },
    );
  }
}

/**
 * The kernels for a problem, in a memory of their own with about `budget` bytes of lane groups.
 * @throws DeviceError when the memory cannot be had.
 */
export async function openKernels(
  module: WebAssembly.Module,
  problem: AttentionProblem,
  budget = memoryBudget,
): Promise<Kernels> {
  const { exports } = await instantiate(module);
  const wasm = exports as unknown as Exports;
  const { arithmetic, shape, tile, scale } = problem;
  const format = requireFormat(arithmetic, "kernels");
  const tileKeys = Math.min(tile.m0, shape.keys);
  const [index, factor] = [formatNames.indexOf(format.name), exponentFactor(scale)];
  const requireMemory = (had: number): void => {
    if (had !== 0) return;
    throw new DeviceError({
      where: "engine wasm",
      got: `too little memory for key tiles of ${howMany(tileKeys, "key")} with E ${shape.headDim} and F ${shape.valueDim}`,
      expected: "at most 2 GiB per thread, and as much free",
      fix: "choose an --array with fewer rows, or --engine cpu",
    });
  };
  requireMemory(wasm.configure(index, factor, shape.headDim, shape.valueDim, tileKeys, budget));
  return {
    ...wasm,
    laneGroups: wasm.laneGroups.value,
    wholeTile: wasm.wholeTile.value !== 0,
    keysAtOnce: wasm.keysAtOnce.value,
    stage: wasm.stage.value,
    dumpTo: () => {
      requireMemory(wasm.placeDump());
      return wasm.dumped.value as number;
    },
    fieldAt: (laneGroup, field) => wasm.stateOf(laneGroup) + wasm[field].value,
  };
}
