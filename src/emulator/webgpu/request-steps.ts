import type { AttentionProblem, Operands } from "../../attention/problem.js";
import { scaleBlock } from "../../numerics/arithmetic.js";
import { exponentFactor } from "../../numerics/pe.js";
import type { BlockPlan } from "./blocks.js";
import type { ChunkCache } from "./chunk-cache.js";
import type { DeviceGuard } from "./device-guard.js";
import type { Job } from "./jobs.js";
import { blockLayout } from "./layout.js";
import type { Pace } from "./pace.js";
import { keyScalesOf, pageCounts, valueBlocksOf } from "./pack.js";
import type { Packer } from "./packer.js";
import { type RequestBuffers, vectorBytes } from "./request-buffers.js";
import { stateHeader } from "./state.js";

/** What all requests of a session share, whichever kernels they run. */
export interface RequestContext {
  readonly guard: DeviceGuard;
  /** With the tiles in which the keys are walked. */
  readonly problem: AttentionProblem;
  readonly operands: Operands;
  readonly packer: Packer;
  readonly chunks: ChunkCache;
  readonly pace: Pace;
}

/** AV [slot][F], and the state, as they come from the device. */
export interface DeviceRows {
  readonly av: Float32Array;
  readonly state: Float32Array;
}

/**
 * Uploads the queries, windows and blocks of a plan. Sets the state of every slot to `fields`, or to those of its row
 * where rows have their own, and the first `vectors` vectors over F to +0.
 */
export function upload(
  { guard, problem, operands, packer }: RequestContext,
  plan: BlockPlan,
  buffers: RequestBuffers,
  fields: Float32Array,
  vectors: number,
  fieldsOfRow?: (row: number) => Float32Array,
): void {
  const { queue } = guard.device;
  const { blocks, blockRows, windows } = plan;
  const { headDim, valueDim } = problem.shape;
  const slots = blocks.length * blockRows;
  writeBlocks(guard, plan, buffers);
  queue.writeBuffer(buffers.windows, 0, windows);
  const fill = (source: Float32Array): void => {
    for (const [n, { row, count }] of blocks.entries()) {
      source.set(operands.q.subarray(row * headDim, (row + count) * headDim), n * blockRows * headDim);
    }
  };
  const pages = pageCounts(problem.arithmetic, problem.shape);
  const to = buffers.queries;
  packer.rows({ rows: slots, width: headDim, fill, to, otherPages: pages.keyScales });
  const scales = operands.scales?.q;
  const width = keyScalesOf(problem.arithmetic, problem.shape);
  // One scale a query is a value of its row.
  if (scaleBlock(problem.arithmetic.operands.q.scale) !== null && scales !== undefined) {
    const fillScales = (source: Float32Array): void => {
      for (const [n, { row, count }] of blocks.entries()) {
        source.set(scales.subarray(row * width, (row + count) * width), n * blockRows * width);
      }
    };
    packer.scales({ rows: slots, width, fill: fillScales, to, otherPages: pages.keyOperands });
  }
  const state = new Float32Array(stateHeader + slots * fields.length);
  for (const [field, value] of fields.entries()) {
    if (value === 0) continue;
    for (let at = stateHeader + 8 * field; at < state.length; at += 8 * fields.length) state.fill(value, at, at + 8);
  }
  if (fieldsOfRow !== undefined) {
    for (const [n, { row, count }] of blocks.entries()) {
      for (let i = 0; i < count; i += 1) {
        const slot = n * blockRows + i;
        const at = stateHeader + Math.floor(slot / 8) * 8 * fields.length + (slot % 8);
        for (const [field, value] of fieldsOfRow(row + i).entries()) state[at + 8 * field] = value;
      }
    }
  }
  queue.writeBuffer(buffers.state, 0, state);
  const encoder = guard.device.createCommandEncoder();
  const bytes = vectors * vectorBytes(valueDim, slots);
  if (bytes > 0) encoder.clearBuffer(buffers.sums, 0, bytes);
  queue.submit([encoder.finish()]);
}

/** Uploads the blocks of a plan: what tiles each works on. */
export function writeBlocks({ device }: DeviceGuard, { blocks }: BlockPlan, buffers: RequestBuffers): void {
  const table = new DataView(new ArrayBuffer(blocks.length * blockLayout.byteSize));
  for (const [n, block] of blocks.entries()) blockLayout.write(table, n * blockLayout.byteSize, block);
  device.queue.writeBuffer(buffers.blocks, 0, table.buffer);
}

/** Dispatches jobs one by one, no faster than the adapter does them. */
export async function inPace(
  { guard, pace }: RequestContext,
  jobs: Iterable<Job>,
  dispatch: (job: Job) => void,
  signal?: AbortSignal,
): Promise<void> {
  for (const job of jobs) {
    await guard.wait(pace.room());
    signal?.throwIfAborted();
    dispatch(job);
    pace.submitted(job.macs);
  }
}

/** The members that the uniforms of all kernels have. */
export function jobMembers({ shape, tile, arithmetic, scale }: AttentionProblem, job: Job) {
  const pages = pageCounts(arithmetic, shape);
  return {
    blockBegin: job.blockBegin,
    keyBegin: job.keyBegin,
    keyEnd: job.keyEnd,
    chunkKvHead: job.chunk.kvHeadBegin,
    chunkKey: job.chunk.keyBegin,
    keyPages: pages.keyOperands + pages.keyScales,
    operandPages: pages.keyOperands,
    valuePages: pages.valueOperands + pages.valueScales,
    valueDim: shape.valueDim,
    valueBlocks: valueBlocksOf(shape.valueDim),
    keyCount: shape.keys,
    m0: tile.m0,
    factor: exponentFactor(scale),
  };
}

/**
 * Submits what `encoder` holds, then brings back `values` of AV and the state of so many words, and hands them to `read`,
 * which must not keep them.
 */
export async function readBack<T>(
  guard: DeviceGuard,
  encoder: GPUCommandEncoder,
  { av, state, readback }: RequestBuffers,
  values: number,
  stateWords: number,
  read: (rows: DeviceRows) => T,
): Promise<T> {
  const bytes = 4 * (values + stateWords);
  encoder.copyBufferToBuffer(av, 0, readback, 0, 4 * values);
  encoder.copyBufferToBuffer(state, 0, readback, 4 * values, 4 * stateWords);
  guard.device.queue.submit([encoder.finish()]);
  await guard.wait(readback.mapAsync(GPUMapMode.READ, 0, bytes));
  const range = readback.getMappedRange(0, bytes);
  try {
    return read({ av: new Float32Array(range, 0, values), state: new Float32Array(range, 4 * values, stateWords) });
  } finally {
    readback.unmap();
  }
}
