// The exports: what the host (src/emulator/wasm/block.ts) calls, in this order, for a block of rows:
// loadQueries for each lane group; for each key tile beginTile, packKeys, packValues and passTile, or, where a tile is packed in parts,
// lookAt, (packKeys, scores) for each part, softmax, (packValues, values) for each part, update; finish for each lane group. Where
// few queries pass a tile, scoresByQuery and valuesByQuery stand for scores and values, and nothing is packed.
import {
  configureArithmetic,
  queryScale,
  runDivide,
  runProducts,
  runScoresOfQuery,
  runSoftmax,
  runSumsOfQuery,
  runUpdate,
} from "./arithmetic";
import { noMaximum } from "./limits";
import {
  bad,
  configureMemory,
  featurePanels,
  headDim,
  keyPanels,
  laneBytes,
  lanes,
  maxima,
  outputsOf,
  panelBytes,
  panelRows,
  queriesOf,
  scoresOf,
  stage,
  stateOf,
  sumsOf,
  valueDim,
  valuePanels,
  viewBegin,
  viewEnd,
} from "./memory";
import { Bf16, Fp32, macInChain } from "./formats";
import { columnsToPanels, lanesToRows, rowsToLanes, rowsToPanels } from "./rows";
import { lookAtTile } from "./view";

export {
  chainBf16,
  chainExact,
  chainFp16,
  chainRounded,
  chainWideFp16,
  queryScale,
  scaleOfChains,
} from "./arithmetic";
export { blocks, configureWidth } from "./sums";
export { configureSteps, placeLanes, placeSteps, products as steps, widenPanels } from "./steps";
export {
  corrections,
  denominators,
  dumped,
  laneGroups,
  keyEnds,
  keysAtOnce,
  keyStarts,
  maxima,
  numeratorSums,
  outputsOf,
  placeDump,
  queryTiles,
  scoresOf,
  seenFrom,
  seenTo,
  stage,
  stateOf,
  sumsOf,
  wholeTile,
} from "./memory";
export { bad, viewBegin, viewEnd, viewPartial } from "./memory";
export { columnsToPanels, lanesToRows, rowsToLanes, rowsToPanels } from "./rows";
export { beginTile, lookAtTile, takeTiles } from "./view";

/** Where the memory that a printed program lays out begins (src/emulator/wasm/program-runner.ts). */
export function heapBase(): usize {
  return __heap_base;
}

/** Fixes the format (its place among `formatNames`), c of E2, and what `configureMemory` takes. False when memory is short. */
export function configure(format: i32, c: f32, e: i32, f: i32, tileKeys: i32, budget: u32): bool {
  configureArithmetic(format, c);
  return configureMemory(e, f, tileKeys, budget);
}

/** Takes `count` rows of Q from the stage into a lane group and clears what it carries. What its lanes see is set by the host. */
export function loadQueries(laneGroup: i32, count: i32): void {
  const state = stateOf(laneGroup);
  memory.fill(state, 0, queriesOf(laneGroup) - state);
  v128.store(state, f32x4.splat(noMaximum), maxima);
  v128.store(state + 16, f32x4.splat(noMaximum), maxima);
  rowsToLanes(stage, count, headDim, queriesOf(laneGroup), queryScale());
}

/** Packs `count` rows of K from the stage. */
export function packKeys(count: i32): void {
  rowsToPanels(stage, count, headDim, keyPanels);
}

/** Packs `count` rows of V from the stage. */
export function packValues(count: i32): void {
  columnsToPanels(stage, count, valueDim, valuePanels);
}

/** Takes the first `laneGroupCount` lane groups through the packed tile of `count` keys from `firstKey`; skips those that see none. */
export function passTile(laneGroupCount: i32, firstKey: i32, count: i32): void {
  for (let laneGroup = 0; laneGroup < laneGroupCount; laneGroup++) {
    if (!lookAtTile(stateOf(laneGroup), firstKey, count)) continue;
    scoresOfGroup(laneGroup, 0, count);
    runSoftmax(scoresOf(laneGroup), stateOf(laneGroup));
    valuesOfGroup(laneGroup, 0, count);
    runUpdate(stateOf(laneGroup), outputsOf(laneGroup), sumsOf(laneGroup), valueDim);
  }
}

export function lookAt(laneGroupCount: i32, firstKey: i32, count: i32): void {
  for (let laneGroup = 0; laneGroup < laneGroupCount; laneGroup++) lookAtTile(stateOf(laneGroup), firstKey, count);
}

/** Step 1 for the packed keys, [first, first + count) of the tile. */
export function scores(laneGroupCount: i32, first: i32, count: i32): void {
  for (let laneGroup = 0; laneGroup < laneGroupCount; laneGroup++) scoresOfGroup(laneGroup, first, count);
}

/** Step 1 for the first `queryCount` queries of lane group 0 and the keys in the stage, [first, first + count) of the tile. */
export function scoresByQuery(queryCount: i32, first: i32, count: i32): void {
  const from = seenFirst(0, first);
  const there = seenEnd(0, first, count) - from;
  if (there <= 0) return;
  const keys = stage + (<usize>(from * headDim) << 2);
  const at = scoresOf(0) + (<usize>(first + from)) * laneBytes;
  for (let query = 0; query < queryCount; query++) {
    const lane = (<usize>query) << 2;
    runScoresOfQuery(queriesOf(0) + lane, keys, there, headDim, at + lane);
  }
}

export function softmax(laneGroupCount: i32): void {
  for (let laneGroup = 0; laneGroup < laneGroupCount; laneGroup++) {
    if (seesTile(laneGroup)) runSoftmax(scoresOf(laneGroup), stateOf(laneGroup));
  }
}

/** Step 5 for the packed values, [first, first + count) of the tile. */
export function values(laneGroupCount: i32, first: i32, count: i32): void {
  for (let laneGroup = 0; laneGroup < laneGroupCount; laneGroup++) valuesOfGroup(laneGroup, first, count);
}

/** Step 5 for the first `queryCount` queries of lane group 0 and the values in the stage, [first, first + count) of the tile. */
export function valuesByQuery(queryCount: i32, first: i32, count: i32): void {
  const from = seenFirst(0, first);
  const there = seenEnd(0, first, count) - from;
  if (there <= 0) return;
  const rows = stage + (<usize>(from * valueDim) << 2);
  const numerators = scoresOf(0) + (<usize>(first + from)) * laneBytes;
  const goOn = load<i32>(stateOf(0), viewBegin) < first;
  for (let query = 0; query < queryCount; query++) {
    const lane = (<usize>query) << 2;
    runSumsOfQuery(numerators + lane, rows, there, valueDim, sumsOf(0) + lane, goOn);
  }
}

export function update(laneGroupCount: i32): void {
  for (let laneGroup = 0; laneGroup < laneGroupCount; laneGroup++) {
    if (seesTile(laneGroup)) runUpdate(stateOf(laneGroup), outputsOf(laneGroup), sumsOf(laneGroup), valueDim);
  }
}

/** Divides, and leaves the first `count` output rows of a lane group in the stage; gives a bit for each lane that overflowed. */
export function finish(laneGroup: i32, count: i32): i32 {
  const state = stateOf(laneGroup);
  runDivide(state, outputsOf(laneGroup), valueDim);
  lanesToRows(outputsOf(laneGroup), count, valueDim, stage);
  return i32x4.bitmask(v128.load(state, bad)) | (i32x4.bitmask(v128.load(state + 16, bad)) << 4);
}

/** a b + c as the products kernel of 16-bit operands computes it. */
export function multiplyAdd(a: f32, b: f32, c: f32): f32 {
  return f32x4.extract_lane(macInChain<Bf16, Fp32>(f32x4.splat(c), f32x4.splat(a), f32x4.splat(b)), 0);
}

function seesTile(laneGroup: i32): bool {
  const state = stateOf(laneGroup);
  return load<i32>(state, viewBegin) < load<i32>(state, viewEnd);
}

/** Of the keys [first, first + count) of the tile, those that a lane group sees, counted from `first`: [seenFirst, seenEnd). */
function seenFirst(laneGroup: i32, first: i32): i32 {
  return max(load<i32>(stateOf(laneGroup), viewBegin) - first, 0);
}

function seenEnd(laneGroup: i32, first: i32, count: i32): i32 {
  return min(load<i32>(stateOf(laneGroup), viewEnd) - first, count);
}

function scoresOfGroup(laneGroup: i32, first: i32, count: i32): void {
  const from = seenFirst(laneGroup, first) / panelRows;
  const to = (seenEnd(laneGroup, first, count) + panelRows - 1) / panelRows;
  if (from >= to) return;
  const apart = (<usize>headDim) * panelBytes;
  const panels = keyPanels + (<usize>from) * apart;
  const at = scoresOf(laneGroup) + (<usize>(first + from * panelRows)) * laneBytes;
  runProducts(queriesOf(laneGroup), panels, apart, to - from, headDim, at, false);
}

function valuesOfGroup(laneGroup: i32, first: i32, count: i32): void {
  const from = seenFirst(laneGroup, first);
  const to = seenEnd(laneGroup, first, count);
  if (from >= to) return;
  const panels = valuePanels + (<usize>from) * panelBytes;
  const numerators = scoresOf(laneGroup) + (<usize>(first + from)) * laneBytes;
  const apart = (<usize>count) * panelBytes;
  const goOn = load<i32>(stateOf(laneGroup), viewBegin) < first;
  runProducts(numerators, panels, apart, featurePanels, to - from, sumsOf(laneGroup), goOn);
}
