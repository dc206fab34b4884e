import type { AttentionProblem, Operands } from "../../attention/problem.js";
import { exponentFactor } from "../../numerics/pe.js";
import type { BlockPlan } from "./blocks.js";
import type { ChunkCache } from "./chunk-cache.js";
import type { DeviceGuard } from "./device-guard.js";
import { encodeDispatch } from "./dispatch.js";
import { type Job, type JobLimits, planJobs } from "./jobs.js";
import { blockLayout, jobLayout } from "./layout.js";
import type { Pace } from "./pace.js";
import { columnsTogether, keyPagesOf, valueBlocksOf } from "./pack.js";
import type { Packer } from "./packer.js";
import { type RequestBuffers, tilePagesOf } from "./request-buffers.js";
import { noMaximum, stateFields, stateHeader } from "./state.js";

/** Invocations of a workgroup of shaders/finish.wgsl. */
export const finishWorkgroup = 64;

/** What all requests of a session share. */
export interface SessionContext {
  readonly guard: DeviceGuard;
  readonly problem: AttentionProblem;
  readonly operands: Operands;
  readonly attention: GPUComputePipeline;
  readonly finish: GPUComputePipeline;
  readonly packer: Packer;
  readonly chunks: ChunkCache;
  readonly pace: Pace;
  readonly jobLimits: JobLimits;
}

/** AV [slot][F], and the state, as they come from the device. */
export interface DeviceRows {
  readonly av: Float32Array;
  readonly state: Float32Array;
}

/** Some rows on their way through their tiles, their state on the device. */
export class Request {
  readonly #context: SessionContext;
  readonly #plan: BlockPlan;
  readonly #buffers: RequestBuffers;
  readonly #slots: number;

  constructor(context: SessionContext, plan: BlockPlan, buffers: RequestBuffers) {
    this.#context = context;
    this.#plan = plan;
    this.#buffers = buffers;
    this.#slots = plan.blocks.length * plan.blockRows;
  }

  /** RNV of all slots, in eights of words. */
  get #sumsEights(): number {
    return (this.#slots / 8) * valueBlocksOf(this.#context.problem.shape.valueDim) * columnsTogether;
  }

  /** Uploads queries, windows and blocks, and sets RM to none, RD and RNV to +0. */
  start(): void {
    const { guard, problem, operands } = this.#context;
    const { blocks, blockRows, windows } = this.#plan;
    const { queue } = guard.device;
    const { headDim } = problem.shape;
    const table = new DataView(new ArrayBuffer(blocks.length * blockLayout.byteSize));
    for (const [n, block] of blocks.entries()) blockLayout.write(table, n * blockLayout.byteSize, block);
    queue.writeBuffer(this.#buffers.blocks, 0, table.buffer);
    queue.writeBuffer(this.#buffers.windows, 0, windows);
    const fill = (source: Float32Array): void => {
      for (const [n, { row, count }] of blocks.entries()) {
        source.set(operands.q.subarray(row * headDim, (row + count) * headDim), n * blockRows * headDim);
      }
    };
    this.#context.packer.rows({ rows: this.#slots, width: headDim, fill, to: this.#buffers.queries });
    const state = new Float32Array(stateHeader + this.#slots * stateFields);
    for (let at = stateHeader; at < state.length; at += stateFields * 8) state.fill(noMaximum, at, at + 8);
    queue.writeBuffer(this.#buffers.state, 0, state);
    const encoder = guard.device.createCommandEncoder();
    encoder.clearBuffer(this.#buffers.sums, 0, this.#sumsEights * 32);
    queue.submit([encoder.finish()]);
  }

  /** Takes the rows through the tiles of the plan. */
  async advance(signal?: AbortSignal): Promise<void> {
    const { guard, problem, pace, jobLimits } = this.#context;
    for (const job of planJobs(problem, this.#plan, jobLimits)) {
      await guard.wait(pace.turn());
      signal?.throwIfAborted();
      this.dispatch(job, this.#context.attention, this.#buffers.scratch, job.blockCount);
      pace.submitted(job.macs);
    }
  }

  /** Submits one dispatch of a kernel that works on a tile; `last` is what the kernel has at its last binding. */
  dispatch(job: Job, pipeline: GPUComputePipeline, last: GPUBuffer, workgroups: number): void {
    const { guard, chunks } = this.#context;
    const { job: jobBuffer, blocks, windows, queries, state, sums } = this.#buffers;
    const keys = chunks.keys(job.chunk);
    const values = chunks.values(job.chunk);
    this.#writeJob(job, keys.groupStride, values.groupStride);
    const own = { 0: jobBuffer, 2: windows, 3: queries, 4: keys.buffer, 5: values.buffer, 6: state, 7: sums, 8: last };
    // dump-tile has no use for the blocks.
    const buffers = pipeline === this.#context.attention ? { ...own, 1: blocks } : own;
    const encoder = guard.device.createCommandEncoder();
    encodeDispatch(guard.device, encoder, pipeline, buffers, workgroups);
    guard.device.queue.submit([encoder.finish()]);
  }

  #writeJob(job: Job, keyStride: number, valueStride: number): void {
    const { shape, tile, format, scale } = this.#context.problem;
    const tilePages = tilePagesOf(this.#context.problem);
    const view = new DataView(new ArrayBuffer(jobLayout.byteSize));
    jobLayout.write(view, 0, {
      blockBegin: job.blockBegin,
      keyBegin: job.keyBegin,
      keyEnd: job.keyEnd,
      phases: job.phases,
      chunkGroup: job.chunk.groupBegin,
      chunkKey: job.chunk.keyBegin,
      keyStride,
      valueStride,
      keyPages: keyPagesOf(shape.headDim, format.operand),
      valueDim: shape.valueDim,
      valueBlocks: valueBlocksOf(shape.valueDim),
      keyCount: shape.keys,
      m0: tile.m0,
      tilePages,
      weightsAt: (this.#slots / 8) * tilePages,
      partsAt: this.#sumsEights,
      factor: exponentFactor(scale),
    });
    this.#context.guard.device.queue.writeBuffer(this.#buffers.job, 0, view.buffer);
  }

  /** Makes AV and hands it and the state to `read`, which must not keep them. */
  async finish<T>(read: (rows: DeviceRows) => T): Promise<T> {
    const { guard, finish, problem } = this.#context;
    const { job, state, sums, av, readback } = this.#buffers;
    const values = this.#slots * problem.shape.valueDim;
    const stateBytes = 4 * (stateHeader + this.#slots * stateFields);
    this.#writeJob(noJob, 0, 0);
    const encoder = guard.device.createCommandEncoder();
    const buffers = { 0: job, 6: state, 7: sums, 8: av };
    encodeDispatch(guard.device, encoder, finish, buffers, Math.ceil(values / finishWorkgroup));
    encoder.copyBufferToBuffer(av, 0, readback, 0, 4 * values);
    encoder.copyBufferToBuffer(state, 0, readback, 4 * values, stateBytes);
    guard.device.queue.submit([encoder.finish()]);
    await guard.wait(readback.mapAsync(GPUMapMode.READ, 0, 4 * values + stateBytes));
    const bytes = readback.getMappedRange(0, 4 * values + stateBytes);
    try {
      return read({ av: new Float32Array(bytes, 0, values), state: new Float32Array(bytes, 4 * values) });
    } finally {
      readback.unmap();
    }
  }
}

/** For kernels that work on no tile. */
const noJob: Job = {
  chunk: { groupBegin: 0, groupCount: 0, keyBegin: 0, keyEnd: 0 },
  ...{ blockBegin: 0, blockCount: 0, keyBegin: 0, keyEnd: 0, phases: 0, macs: 0 },
};
