// Where everything lies in the module's one memory while a block of rows is computed. One instance computes one problem;
// `configure` fixes its sizes. Addresses and sizes that the host needs are exported.

/** Queries in a lane group: two vectors of four. */
export const lanes: i32 = 8;
/** Bytes that one value takes in all lanes of a lane group. */
export const laneBytes: usize = 32;
/** Rows in a panel, and the bytes they take for one element of a sum. */
export const panelRows: i32 = 4;
export const panelBytes: usize = 16;
/** Keys, and features of the values, that the products of a single query take together: four vectors, and eight. */
export const keysTogether: i32 = 16;
export const featuresTogether: i32 = 32;

/** Most bytes that packed keys, or packed values, may take, so that a core's second cache holds them. */
const mostPanelBytes: i32 = 1 << 20;
const mostKeysAtOnce: i32 = 512;
const mostLaneGroups: i32 = 128;
/** Most bytes of a memory: addresses stay below half of what 32 bits can tell. */
const mostBytes: u64 = 1 << 31;

// The state of a lane group, as offsets from its address. A half group's fields lie 16 bytes further on.

/** RM; `noMaximum` while the query has seen no key. */
export const maxima: usize = 0;
/** RD. */
export const denominators: usize = 32;
/** PRM of this tile. */
export const corrections: usize = 64;
/** SLD of this tile, times `chainScale` for fp16 sums. */
export const numeratorSums: usize = 96;
/** The keys of its head that each query sees, [from, to). */
export const seenFrom: usize = 128;
export const seenTo: usize = 160;
/** Those among them that lie in this tile, counted from its first: [start, end), [0, 0) for none. */
export const keyStarts: usize = 192;
export const keyEnds: usize = 224;
/** All ones where a value has left fp16's range. */
export const bad: usize = 256;
/** The query tile p1 that each lane belongs to, i32. */
export const queryTiles: usize = 288;
/** Scalars, i32: the keys of this tile that some lane sees, [begin, end), and whether not all lanes see all of them. */
export const viewBegin: usize = 320;
export const viewEnd: usize = 324;
export const viewPartial: usize = 328;
const stateBytes: usize = 336;

/** E and F. */
export let headDim: i32 = 0;
export let valueDim: i32 = 0;
export let featurePanels: i32 = 0;
/** Lane groups in a block of rows. */
export let laneGroups: i32 = 0;
/**
 * Whether the whole of a key tile is packed at a time. If so, the lane groups pass a tile one after the other and share
 * one place for scores and sums, which stays in the first cache; else they pass each part of it together.
 */
export let wholeTile: bool = false;
/** How many keys of a tile are packed at a time. */
export let keysAtOnce: i32 = 0;

/** Rows are copied in and out here: up to `keysAtOnce` keys or values, or a lane group's queries or outputs. */
export let stage: usize = 0;
/** K of a tile, or a part of it, as panels [keys / 4][E][4]. */
export let keyPanels: usize = 0;
/** V likewise as panels [F / 4][keys][4]. */
export let valuePanels: usize = 0;
/** BQK and then SLN, [m0][8] for each lane group that passes a tile. */
let scores: usize = 0;
let scoreBytes: usize = 0;
/** SLNV, [F][8] likewise. */
let sums: usize = 0;
let sumBytes: usize = 0;
/** The lane groups: state, RNV [F][8], queries [E][8]. */
let firstLaneGroup: usize = 0;
let laneGroupBytes: usize = 0;

/**
 * Where what the kernels else keep in registers goes, of the lane group whose tile is dumped: LM [8], SPD [8] and SPNV [F][8]; 0 where
 * nothing is dumped, as in every run.
 */
export let dumped: usize = 0;

let end: u64 = 0;

/** Has a place for a dump. False when there is not enough memory. */
export function placeDump(): bool {
  const at = place((2 + <u64>(featurePanels * panelRows)) * laneBytes);
  if (!hasMemory()) return false;
  dumped = at;
  return true;
}

function hasMemory(): bool {
  if (end > mostBytes) return false;
  const missing = <i32>((end + 0xffff) >>> 16) - memory.size();
  return missing <= 0 || memory.grow(missing) >= 0;
}

function place(bytes: u64): usize {
  const at = end;
  end = (at + bytes + 63) & ~63;
  return <usize>at;
}

/**
 * Lays the memory out for queries and keys of width `e`, values of width `f` and tiles of `tileKeys` keys. Lane groups may take
 * `budget` bytes; at least one is had. False when there is not enough memory.
 */
export function configureMemory(e: i32, f: i32, tileKeys: i32, budget: u32): bool {
  headDim = e;
  valueDim = f;
  featurePanels = (f + panelRows - 1) / panelRows;
  const features = <u64>featurePanels * panelRows;
  const widest = max(<u64>e, features);
  const paddedKeys = (tileKeys + panelRows - 1) & ~(panelRows - 1);
  const fitting = <i32>(mostPanelBytes / (4 * widest)) & ~(panelRows - 1);
  keysAtOnce = min(paddedKeys, max(panelRows, min(fitting, mostKeysAtOnce)));
  wholeTile = keysAtOnce == paddedKeys;

  // The products of single queries read and write past the end (row-products.ts).
  const eachScores = <u64>(paddedKeys + keysTogether) * laneBytes;
  const eachSums = (features + featuresTogether) * laneBytes;
  const eachLaneGroup = stateBytes + (features + e) * laneBytes;
  const each = wholeTile ? eachLaneGroup : eachLaneGroup + eachScores + eachSums;
  laneGroups = <i32>max(1, min(<u64>budget / each, <u64>mostLaneGroups));
  const apart = wholeTile ? 1 : <u64>laneGroups;
  scoreBytes = <usize>eachScores;
  sumBytes = <usize>eachSums;
  laneGroupBytes = <usize>eachLaneGroup;

  end = __heap_base;
  stage = place(4 * <u64>(keysAtOnce + keysTogether) * widest + 4 * featuresTogether);
  keyPanels = place(4 * <u64>keysAtOnce * e);
  valuePanels = place(4 * <u64>keysAtOnce * features);
  scores = place(apart * eachScores);
  sums = place(apart * eachSums);
  firstLaneGroup = place(<u64>laneGroups * eachLaneGroup);
  return hasMemory();
}

export function stateOf(laneGroup: i32): usize {
  return firstLaneGroup + (<usize>laneGroup) * laneGroupBytes;
}

export function outputsOf(laneGroup: i32): usize {
  return stateOf(laneGroup) + stateBytes;
}

export function queriesOf(laneGroup: i32): usize {
  return outputsOf(laneGroup) + (<usize>(featurePanels * panelRows)) * laneBytes;
}

export function scoresOf(laneGroup: i32): usize {
  return wholeTile ? scores : scores + (<usize>laneGroup) * scoreBytes;
}

export function sumsOf(laneGroup: i32): usize {
  return wholeTile ? sums : sums + (<usize>laneGroup) * sumBytes;
}
