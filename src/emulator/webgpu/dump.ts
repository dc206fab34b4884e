import { maskOf } from "../../attention/mask.js";
import type { AttentionProblem } from "../../attention/problem.js";
import type { TileCoordinates } from "../../attention/tile.js";
import { dumpedByFeatures, dumpedByKeys, dumpedByQuery, firstRowOf, type TileDump } from "../tile-dump.js";
import type { BlockPlan } from "./blocks.js";
import type { DeviceGuard } from "./device-guard.js";
import type { Job } from "./jobs.js";
import { columnsTogether, eight, valueBlocksOf } from "./pack.js";

/** What a dump of some query columns needs: keys of the tile, slots and columns of the value. */
interface DumpSize {
  readonly rows: number;
  readonly slots: number;
  readonly padded: number;
}

/** The tile's keys as a job, its part of K and V begun where K's layout allows. */
export function tileJob({ shape, tile }: AttentionProblem, { m1 }: TileCoordinates, group: number): Job {
  const keyBegin = m1 * tile.m0;
  const keyEnd = Math.min(keyBegin + tile.m0, shape.keys);
  const chunk = {
    groupBegin: group,
    groupCount: 1,
    keyBegin: Math.floor(keyBegin / eight) * eight,
    keyEnd,
  };
  return { chunk, blockBegin: 0, blockCount: 0, keyBegin, keyEnd, phases: 0, macs: 0 };
}

/** The plan with its blocks stopped before tile m1. */
export function before(m1: number, plan: BlockPlan): BlockPlan {
  const blocks = plan.blocks.map(block => ({
    ...block,
    tileBegin: Math.min(block.tileBegin, m1),
    tileEnd: Math.min(block.tileEnd, m1),
  }));
  return { ...plan, blocks };
}

/** Floats that shaders/dump-tile.wgsl writes: tensor after tensor, in the order of these lists. */
export function dumpFloats({ rows, slots, padded }: DumpSize): number {
  return (dumpedByKeys.length * rows + dumpedByQuery.length + dumpedByFeatures.length * padded) * slots;
}

export function dumpSizeOf({ shape, tile }: AttentionProblem, m1: number, slots: number): DumpSize {
  const rows = Math.min(tile.m0, shape.keys - m1 * tile.m0);
  return { rows, slots, padded: valueBlocksOf(shape.valueDim) * columnsTogether };
}

/** Runs `encode` with a fresh, zeroed buffer for a dump and reads it back. */
export async function readDump(
  guard: DeviceGuard,
  size: DumpSize,
  dispatch: (dump: GPUBuffer) => void,
): Promise<Float32Array> {
  const bytes = 4 * dumpFloats(size);
  const { STORAGE, COPY_SRC, COPY_DST, MAP_READ } = GPUBufferUsage;
  const dump = guard.device.createBuffer({ label: "dump", size: bytes, usage: STORAGE | COPY_SRC });
  const readback = guard.device.createBuffer({ label: "dump readback", size: bytes, usage: MAP_READ | COPY_DST });
  try {
    dispatch(dump);
    const encoder = guard.device.createCommandEncoder();
    encoder.copyBufferToBuffer(dump, 0, readback, 0, bytes);
    guard.device.queue.submit([encoder.finish()]);
    await guard.wait(readback.mapAsync(GPUMapMode.READ));
    return new Float32Array(readback.getMappedRange().slice(0));
  } finally {
    dump.destroy();
    readback.destroy();
  }
}

/** Puts what came from the device for query columns [first, first + count) of the tile in its place. */
export function collectDump(
  problem: AttentionProblem,
  at: TileCoordinates,
  { rows, slots, padded }: DumpSize,
  device: Float32Array,
  first: number,
  count: number,
  out: TileDump,
): void {
  const { valueDim } = problem.shape;
  const { m0 } = problem.tile;
  const copy = (to: Float32Array, toRow: number, from: number): void => {
    to.set(device.subarray(from, from + count), toRow * out.columns + first);
  };
  for (let m = 0; m < rows; m += 1) {
    for (const [n, name] of dumpedByKeys.entries()) copy(out[name], m, (n * rows + m) * slots);
  }
  for (const [n, name] of dumpedByQuery.entries()) copy(out[name], 0, (dumpedByKeys.length * rows + n) * slots);
  for (const [n, name] of dumpedByFeatures.entries()) {
    const begin = dumpedByKeys.length * rows + dumpedByQuery.length + n * padded;
    for (let f = 0; f < valueDim; f += 1) copy(out[name], f, (begin + f) * slots);
  }
  const mask = maskOf(problem);
  for (let p = first; p < first + count; p += 1) {
    const { from, to } = mask.span(firstRowOf(problem, at) + p);
    const end = Math.min(rows, to - at.m1 * m0);
    for (let m = Math.max(0, from - at.m1 * m0); m < end; m += 1) out.exists[m * out.columns + p] = 1;
  }
}
