// The exports: what the host (src/emulator/wasm/block.ts) calls, in this order, for a block of rows:
// loadQueries for each lane group; for each key tile beginTile, packKeys, packValues and passTile, or, where a tile is packed in parts,
// lookAt, (packKeys, scores) for each part, softmax, (packValues, values) for each part, update; finish for each group.
import { configureArithmetic, queryScale, runDivide, runProducts, runSoftmax, runUpdate } from "./arithmetic";
import {
  bad,
  configureMemory,
  featurePanels,
  headDim,
  keyPanelsOf,
  laneBytes,
  lanes,
  maxima,
  noMaximum,
  outputsOf,
  panelBytes,
  panelRows,
  queriesOf,
  scoresOf,
  stage,
  stateOf,
  sumsOf,
  valueDim,
  valuePanelsOf,
  viewBegin,
  viewEnd,
} from "./memory";
import { Bf16, Fp32, macInChain } from "./formats";
import { columnsToPanels, lanesToRows, rowsToLanes, rowsToPanels } from "./rows";
import { lookAtTile } from "./view";

export { queryScale } from "./arithmetic";
export {
  corrections,
  denominators,
  groups,
  keyEnds,
  keysAtOnce,
  keyStarts,
  maxima,
  numeratorSums,
  outputsOf,
  queryTiles,
  scoresOf,
  seenFrom,
  seenTo,
  slots,
  stage,
  stateOf,
  sumsOf,
  wholeTile,
} from "./memory";
export { beginTile, takeTiles } from "./view";

/** Fixes the format (its place among `formatNames`), c of E2, and what `configureMemory` takes. False when memory is short. */
export function configure(format: i32, c: f32, e: i32, f: i32, tileKeys: i32, tileCount: i32, budget: u32): bool {
  configureArithmetic(format, c);
  return configureMemory(e, f, tileKeys, tileCount, budget);
}

/** Takes `count` rows of Q from the stage into a group and clears what it carries. What its lanes see is set by the host. */
export function loadQueries(group: i32, count: i32): void {
  const state = stateOf(group);
  memory.fill(state, 0, queriesOf(group) - state);
  v128.store(state, f32x4.splat(noMaximum), maxima);
  v128.store(state + 16, f32x4.splat(noMaximum), maxima);
  rowsToLanes(stage, count, headDim, queriesOf(group), queryScale());
}

/** Packs `count` rows of K from the stage into a slot. */
export function packKeys(count: i32, slot: i32): void {
  rowsToPanels(stage, count, headDim, keyPanelsOf(slot));
}

/** Packs `count` rows of V from the stage into a slot. */
export function packValues(count: i32, slot: i32): void {
  columnsToPanels(stage, count, valueDim, valuePanelsOf(slot));
}

/** Takes the first `groupCount` groups through the tile of `count` keys from `firstKey`, packed in a slot; skips those that see none. */
export function passTile(groupCount: i32, firstKey: i32, count: i32, slot: i32): void {
  for (let group = 0; group < groupCount; group++) {
    if (!lookAtTile(stateOf(group), firstKey, count)) continue;
    scoresOfGroup(group, 0, count, slot);
    runSoftmax(scoresOf(group), stateOf(group));
    valuesOfGroup(group, 0, count, slot);
    runUpdate(stateOf(group), outputsOf(group), sumsOf(group), valueDim);
  }
}

export function lookAt(groupCount: i32, firstKey: i32, count: i32): void {
  for (let group = 0; group < groupCount; group++) lookAtTile(stateOf(group), firstKey, count);
}

/** Step 1 for the keys packed in slot 0, [first, first + count) of the tile. */
export function scores(groupCount: i32, first: i32, count: i32): void {
  for (let group = 0; group < groupCount; group++) scoresOfGroup(group, first, count, 0);
}

export function softmax(groupCount: i32): void {
  for (let group = 0; group < groupCount; group++) {
    if (seesTile(group)) runSoftmax(scoresOf(group), stateOf(group));
  }
}

/** Step 5 for the values packed in slot 0, [first, first + count) of the tile. */
export function values(groupCount: i32, first: i32, count: i32): void {
  for (let group = 0; group < groupCount; group++) valuesOfGroup(group, first, count, 0);
}

export function update(groupCount: i32): void {
  for (let group = 0; group < groupCount; group++) {
    if (seesTile(group)) runUpdate(stateOf(group), outputsOf(group), sumsOf(group), valueDim);
  }
}

/** Divides, and leaves the first `count` output rows of a group in the stage; gives a bit for each lane that overflowed. */
export function finish(group: i32, count: i32): i32 {
  const state = stateOf(group);
  runDivide(state, outputsOf(group), valueDim);
  lanesToRows(outputsOf(group), count, valueDim, stage);
  return i32x4.bitmask(v128.load(state, bad)) | (i32x4.bitmask(v128.load(state + 16, bad)) << 4);
}

/** a b + c as the products kernel of 16-bit operands computes it. */
export function multiplyAdd(a: f32, b: f32, c: f32): f32 {
  return f32x4.extract_lane(macInChain<Bf16, Fp32>(f32x4.splat(c), f32x4.splat(a), f32x4.splat(b)), 0);
}

function seesTile(group: i32): bool {
  const state = stateOf(group);
  return load<i32>(state, viewBegin) < load<i32>(state, viewEnd);
}

function scoresOfGroup(group: i32, first: i32, count: i32, slot: i32): void {
  const state = stateOf(group);
  const from = max(load<i32>(state, viewBegin) - first, 0) / panelRows;
  const to = (min(load<i32>(state, viewEnd) - first, count) + panelRows - 1) / panelRows;
  if (from >= to) return;
  const apart = (<usize>headDim) * panelBytes;
  const panels = keyPanelsOf(slot) + (<usize>from) * apart;
  const at = scoresOf(group) + (<usize>(first + from * panelRows)) * laneBytes;
  runProducts(queriesOf(group), panels, apart, to - from, headDim, at, false);
}

function valuesOfGroup(group: i32, first: i32, count: i32, slot: i32): void {
  const state = stateOf(group);
  const begin = load<i32>(state, viewBegin);
  const from = max(begin - first, 0);
  const to = min(load<i32>(state, viewEnd) - first, count);
  if (from >= to) return;
  const panels = valuePanelsOf(slot) + (<usize>from) * panelBytes;
  const numerators = scoresOf(group) + (<usize>(first + from)) * laneBytes;
  const apart = (<usize>count) * panelBytes;
  runProducts(numerators, panels, apart, featurePanels, to - from, sumsOf(group), begin < first);
}
