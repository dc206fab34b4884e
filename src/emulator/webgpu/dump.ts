import { maskOf } from "../../attention/mask.js";
import type { AttentionProblem } from "../../attention/problem.js";
import type { RowRange } from "../../attention/rows.js";
import type { TileCoordinates } from "../../attention/tile.js";
import { noMaximum } from "../../numerics/limits.js";
import { firstRowOf, type TileDump } from "../tile-dump.js";
import type { BlockPlan } from "./blocks.js";
import type { DeviceGuard } from "./device-guard.js";
import { columnsTogether, eight, valueBlocksOf } from "./pack.js";
import { dumpEightsOf, type RequestBuffers, tilePagesOf } from "./request-buffers.js";
import { stateField, stateFields, stateHeader } from "./state.js";

/** The plan with no more than tiles [begin, end) of its blocks. */
export function tilesOf(plan: BlockPlan, begin: number, end: number): BlockPlan {
  const within = (tile: number): number => Math.min(Math.max(tile, begin), end);
  const blocks = plan.blocks.map(block => ({
    ...block,
    tileBegin: within(block.tileBegin),
    tileEnd: within(block.tileEnd),
  }));
  return { ...plan, blocks };
}

/** What the kernels leave on the device: the state of the slots, and sums with a dump behind them. */
export interface DeviceDump {
  readonly slots: number;
  readonly state: Float32Array;
  readonly sums: Float32Array;
}

/** Brings a dump back from the buffers of a request. */
export async function readDump(guard: DeviceGuard, slots: number, buffers: RequestBuffers): Promise<DeviceDump> {
  const { state, sums } = buffers.sizes;
  const { MAP_READ, COPY_DST } = GPUBufferUsage;
  const readback = guard.device.createBuffer({ label: "dump", size: state + sums, usage: MAP_READ | COPY_DST });
  try {
    const encoder = guard.device.createCommandEncoder();
    encoder.copyBufferToBuffer(buffers.state, 0, readback, 0, state);
    encoder.copyBufferToBuffer(buffers.sums, 0, readback, state, sums);
    guard.device.queue.submit([encoder.finish()]);
    await guard.wait(readback.mapAsync(GPUMapMode.READ));
    const words = new Float32Array(readback.getMappedRange().slice(0));
    return { slots, state: words.subarray(0, state / 4), sums: words.subarray(state / 4) };
  } finally {
    readback.destroy();
  }
}

/** Puts what came from the device for `rows`, which are queries of the tile, in its place. */
export function collectDump(
  problem: AttentionProblem,
  at: TileCoordinates,
  { blocks, blockRows }: BlockPlan,
  rows: RowRange,
  device: DeviceDump,
  out: TileDump,
): void {
  const mask = maskOf(problem);
  const first = rows.start - firstRowOf(problem, at);
  for (const [n, { row, count }] of blocks.entries()) {
    for (let i = 0; i < count; i += 1) {
      const p = first + row - rows.start + i;
      collectQuery(problem, at.m1, device, n * blockRows + i, mask.span(row + i), p, out);
    }
  }
}

/** One query of a dump, column p of the tile, from its slot. */
function collectQuery(
  { shape, tile, ...rest }: AttentionProblem,
  m1: number,
  { slots, state, sums }: DeviceDump,
  slot: number,
  seen: { readonly from: number; readonly to: number },
  p: number,
  out: TileDump,
): void {
  const problem = { shape, tile, ...rest };
  const columns = valueBlocksOf(shape.valueDim) * columnsTogether;
  const [slotBlock, lane] = [Math.floor(slot / eight), slot % eight];
  const wordAt = (eights: number): number => sums[eights * eight + lane] as number;
  const stateOf = (field: keyof typeof stateField): number =>
    state[stateHeader + (slotBlock * stateFields + stateField[field]) * eight + lane] as number;
  const dumpAt = 2 * (slots / eight) * columns + slotBlock * dumpEightsOf(problem);
  out.rm[p] = stateOf("rm") === noMaximum ? 0 : stateOf("rm");
  out.rd[p] = stateOf("rd");
  for (let f = 0; f < shape.valueDim; f += 1) out.rnv[f * out.columns + p] = wordAt(slotBlock * columns + f);
  const firstKey = m1 * tile.m0;
  const [begin, end] = [Math.max(seen.from - firstKey, 0), Math.min(seen.to - firstKey, out.rows)];
  if (begin >= end) return;
  for (const field of ["lm", "sld"] as const) out[field][p] = stateOf(field);
  out.prm[p] = wordAt(dumpAt);
  out.spd[p] = wordAt(dumpAt + 1);
  for (let f = 0; f < shape.valueDim; f += 1) {
    out.slnv[f * out.columns + p] = wordAt(dumpAt + 2 + f);
    out.spnv[f * out.columns + p] = wordAt(dumpAt + 2 + columns + f);
  }
  // Keys are counted from the eight in which the tile begins.
  const keysAt = dumpAt + 2 + 2 * columns + (firstKey % eight);
  for (let m = begin; m < end; m += 1) {
    out.exists[m * out.columns + p] = 1;
    out.bqk[m * out.columns + p] = wordAt(keysAt + m);
    out.sln[m * out.columns + p] = wordAt(keysAt + tilePagesOf(problem) * eight + m);
  }
}
