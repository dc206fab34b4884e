import type { AttentionProblem, Operands } from "../../attention/problem.js";
import { exponentFactor } from "../../numerics/pe.js";
import type { Pass, TileProgram } from "../../program/program.js";
import type { WgslPlaces } from "../../program/wgsl-places.js";
import type { BlockPlan } from "./blocks.js";
import type { ChunkCache } from "./chunk-cache.js";
import type { DeviceGuard } from "./device-guard.js";
import { encodeDispatch } from "./dispatch.js";
import { type Job, planJobs } from "./jobs.js";
import { blockLayout, programJobLayout } from "./layout.js";
import type { Pace } from "./pace.js";
import { columnsTogether, keyPagesOf, valueBlocksOf } from "./pack.js";
import type { Packer } from "./packer.js";
import { initialFields, type ProgramBuffers, scratchPagesOf, stateHeader } from "./program-buffers.js";

/** Invocations of a workgroup of shaders/collect.wgsl. */
export const collectWorkgroup = 64;

/** A pass and its kernel. */
export interface PassPipeline {
  readonly pass: Pass;
  readonly pipeline: GPUComputePipeline;
}

/** What all requests of a session share. */
export interface ProgramContext {
  readonly guard: DeviceGuard;
  /** With the tiles in which the keys are walked. */
  readonly problem: AttentionProblem;
  readonly operands: Operands;
  readonly program: TileProgram;
  readonly places: WgslPlaces;
  readonly passes: readonly PassPipeline[];
  readonly collect: GPUComputePipeline;
  readonly packer: Packer;
  readonly chunks: ChunkCache;
  readonly pace: Pace;
  /** Keys of one group that fit a part of K or V. */
  readonly chunkKeys: number;
  readonly parallelBlocks: number;
}

/** Some rows on their way through a printed program's passes, their values on the device. */
export class ProgramRequest {
  readonly #slots: number;

  constructor(
    private readonly context: ProgramContext,
    private readonly plan: BlockPlan,
    private readonly buffers: ProgramBuffers,
  ) {
    this.#slots = plan.blocks.length * plan.blockRows;
  }

  /** Uploads queries, windows and blocks, and sets what is built up over the tiles. */
  start(): void {
    const { guard, problem, operands, places, program, packer } = this.context;
    const { blocks, blockRows, windows } = this.plan;
    const { queue } = guard.device;
    const { headDim, valueDim } = problem.shape;
    const table = new DataView(new ArrayBuffer(blocks.length * blockLayout.byteSize));
    for (const [n, block] of blocks.entries()) blockLayout.write(table, n * blockLayout.byteSize, block);
    queue.writeBuffer(this.buffers.blocks, 0, table.buffer);
    queue.writeBuffer(this.buffers.windows, 0, windows);
    const fill = (source: Float32Array): void => {
      for (const [n, { row, count }] of blocks.entries()) {
        source.set(operands.q.subarray(row * headDim, (row + count) * headDim), n * blockRows * headDim);
      }
    };
    packer.rows({ rows: this.#slots, width: headDim, fill, to: this.buffers.queries });
    const fields = initialFields(program, places);
    const state = new Float32Array(stateHeader + this.#slots * places.fields);
    for (let at = stateHeader; at < state.length; at += 8) {
      const field = ((at - stateHeader) / 8) % places.fields;
      if (fields[field] !== 0) state.fill(fields[field] as number, at, at + 8);
    }
    queue.writeBuffer(this.buffers.state, 0, state);
    const encoder = guard.device.createCommandEncoder();
    const bytes = 4 * places.vector.size * this.#slots * valueBlocksOf(valueDim) * columnsTogether;
    if (bytes > 0) encoder.clearBuffer(this.buffers.sums, 0, bytes);
    queue.submit([encoder.finish()]);
  }

  /** Takes the rows through every pass. */
  async advance(signal?: AbortSignal): Promise<void> {
    const { guard, problem, pace, chunkKeys, parallelBlocks, passes } = this.context;
    const { shape, tile } = problem;
    // A program's tiles are not cut: a dispatch has at least one of as many blocks as fill the adapter.
    const least = this.plan.blockRows * (shape.headDim + shape.valueDim) * tile.m0 * parallelBlocks;
    const limits = { chunkKeys, parallelBlocks, budget: () => Math.max(pace.budget(), least) };
    for (const { pass, pipeline } of passes) {
      if (pass.tile.length > 0) {
        for (const job of planJobs(problem, this.plan, limits)) {
          await guard.wait(pace.turn());
          signal?.throwIfAborted();
          this.#dispatch(job, pipeline, false);
          pace.submitted(job.macs);
        }
      }
      if (pass.end.length > 0) this.#dispatch(this.#wholePlan(), pipeline, true);
    }
  }

  /** All blocks, on the chunk of the first: for what works on no keys. */
  #wholePlan(): Job {
    const { chunkKeys, problem } = this.context;
    const keyEnd = Math.min(problem.shape.keys, chunkKeys);
    const group = this.plan.blocks[0]?.group ?? 0;
    const chunk = { groupBegin: group, groupCount: 1, keyBegin: 0, keyEnd };
    const known = planJobs(problem, this.plan, { chunkKeys, parallelBlocks: 1, budget: () => Infinity }).next().value;
    const blockCount = this.plan.blocks.length;
    const nothing = { keyBegin: 0, keyEnd: 0, phases: 0, macs: 0 };
    return { chunk: known?.chunk ?? chunk, blockBegin: 0, blockCount, ...nothing };
  }

  #dispatch(job: Job, pipeline: GPUComputePipeline, atEnd: boolean): void {
    const { guard, chunks } = this.context;
    const { job: jobBuffer, blocks, windows, queries, state, sums, scratch } = this.buffers;
    const keys = chunks.keys(job.chunk);
    const values = chunks.values(job.chunk);
    this.#writeJob(job, atEnd, keys.groupStride, values.groupStride);
    const own = { 0: jobBuffer, 1: blocks, 2: windows, 3: queries, 4: keys.buffer, 5: values.buffer };
    const encoder = guard.device.createCommandEncoder();
    const buffers = { ...own, 6: state, 7: sums, 8: scratch };
    encodeDispatch(guard.device, encoder, pipeline, buffers, job.blockCount);
    guard.device.queue.submit([encoder.finish()]);
  }

  #writeJob(job: Job, atEnd: boolean, keyStride: number, valueStride: number): void {
    const { problem, places, program, guard } = this.context;
    const { shape, tile, format } = problem;
    const slotBlocks = this.#slots / 8;
    const pages = scratchPagesOf(problem);
    const view = new DataView(new ArrayBuffer(programJobLayout.byteSize));
    programJobLayout.write(view, 0, {
      blockBegin: job.blockBegin,
      keyBegin: job.keyBegin,
      keyEnd: job.keyEnd,
      atEnd: atEnd ? 1 : 0,
      chunkGroup: job.chunk.groupBegin,
      chunkKey: job.chunk.keyBegin,
      keyStride,
      valueStride,
      keyPages: keyPagesOf(shape.headDim, format.operand),
      valueDim: shape.valueDim,
      valueBlocks: valueBlocksOf(shape.valueDim),
      keyCount: shape.keys,
      m0: tile.m0,
      slotBlocks,
      stateFields: places.fields,
      tiles: Math.ceil(shape.keys / tile.m0),
      tilePages: pages.tile,
      wholePages: pages.whole,
      tileStride: slotBlocks * pages.tile,
      wholeStride: slotBlocks * pages.whole,
      outputVector: places.vector.get(program.output) ?? 0,
      factor: exponentFactor(problem.scale),
    });
    guard.device.queue.writeBuffer(this.buffers.job, 0, view.buffer);
  }

  /** Brings AV [slot][F] and the state back and hands them to `read`, which must not keep them. */
  async finish<T>(read: (av: Float32Array, state: Float32Array) => T): Promise<T> {
    const { guard, collect, problem, places } = this.context;
    const { job, state, sums, av, readback } = this.buffers;
    const values = this.#slots * problem.shape.valueDim;
    const stateBytes = 4 * (stateHeader + this.#slots * places.fields);
    this.#writeJob(this.#wholePlan(), true, 0, 0);
    const encoder = guard.device.createCommandEncoder();
    encodeDispatch(guard.device, encoder, collect, { 0: job, 7: sums, 8: av }, Math.ceil(values / collectWorkgroup));
    encoder.copyBufferToBuffer(av, 0, readback, 0, 4 * values);
    encoder.copyBufferToBuffer(state, 0, readback, 4 * values, stateBytes);
    guard.device.queue.submit([encoder.finish()]);
    await guard.wait(readback.mapAsync(GPUMapMode.READ, 0, 4 * values + stateBytes));
    const bytes = readback.getMappedRange(0, 4 * values + stateBytes);
    try {
      return read(new Float32Array(bytes, 0, values), new Float32Array(bytes, 4 * values, stateBytes / 4));
    } finally {
      readback.unmap();
    }
  }
}
