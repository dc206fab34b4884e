import type { AttentionProblem } from "../problem.js";

/** Queries in a lane group: two vectors of four. */
export const lanes = 8;
/** Bytes that one value takes in all lanes of a group. */
const laneBytes = 4 * lanes;
/** Rows in a panel. */
export const panelRows = 4;

/** Offsets into a group's state, as in assembly/state.ts. */
export const stateField = { maxima: 0, keyStarts: 128, keyEnds: 160, bad: 192 } as const;
const stateBytes = 224;

/** Most keys of a tile that are packed at a time, so that they stay in a core's second cache. */
const mostKeysAtOnce = 512;
/** Most bytes that the lane groups of one block of rows may take. */
const mostGroupBytes = 96 * 2 ** 20;
const mostGroups = 32;

/**
 * Where everything lies in a worker's memory while it computes a block of rows: first `stage`, where rows are copied in and
 * out, then the packed panels of K or V, then the lane groups, `groupBytes` apart.
 */
export interface MemoryLayout {
  readonly groups: number;
  readonly keysAtOnce: number;
  readonly stage: number;
  readonly panels: number;
  readonly firstGroup: number;
  readonly groupBytes: number;
  /** From a group's address: its queries [E, 8], state, RNV [F, 8], SLNV [F, 8] and scores [m0, 8]. */
  readonly queries: number;
  readonly state: number;
  readonly outputs: number;
  readonly sums: number;
  readonly scores: number;
  readonly totalBytes: number;
}

const roundUp = (n: number, to: number): number => Math.ceil(n / to) * to;

export function layOut({ shape, tile }: AttentionProblem): MemoryLayout {
  const { keys, headDim, valueDim } = shape;
  const tileKeys = roundUp(Math.min(tile.m0, keys), panelRows);
  const keysAtOnce = Math.min(tileKeys, mostKeysAtOnce);
  const features = roundUp(valueDim, panelRows);

  const queries = 0;
  const state = queries + headDim * laneBytes;
  const outputs = state + stateBytes;
  const sums = outputs + features * laneBytes;
  const scores = sums + features * laneBytes;
  const groupBytes = roundUp(scores + tileKeys * laneBytes, 64);
  const groups = Math.max(1, Math.min(mostGroups, Math.floor(mostGroupBytes / groupBytes)));

  // The module's own first page stays untouched.
  const stage = 65536;
  const panels = stage + roundUp(4 * Math.max(keysAtOnce, lanes) * Math.max(headDim, valueDim), 64);
  const firstGroup = panels + roundUp(4 * keysAtOnce * Math.max(headDim, features), 64);
  const totalBytes = firstGroup + groups * groupBytes;
  return {
    ...{ groups, keysAtOnce, stage, panels, firstGroup, groupBytes },
    ...{ queries, state, outputs, sums, scores, totalBytes },
  };
}

/** Makes a memory at least as large as a layout wants. */
export function growTo(memory: WebAssembly.Memory, bytes: number): void {
  const missing = bytes - memory.buffer.byteLength;
  if (missing > 0) memory.grow(Math.ceil(missing / 65536));
}
