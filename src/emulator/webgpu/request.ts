import { noMaximum } from "../../numerics/limits.js";
import type { BlockPlan } from "./blocks.js";
import { encodeDispatch } from "./dispatch.js";
import { type Job, type JobLimits, planJobs } from "./jobs.js";
import { jobLayout } from "./layout.js";
import { columnsTogether, valueBlocksOf } from "./pack.js";
import { dumpEightsOf, type RequestBuffers, tilePagesOf } from "./request-buffers.js";
import {
  type DeviceRows,
  inPace,
  jobMembers,
  type RequestContext,
  readBack,
  upload,
  writeBlocks,
} from "./request-steps.js";
import { stateField, stateFields, stateHeader } from "./state.js";

/** Invocations of a workgroup of shaders/finish.wgsl. */
export const finishWorkgroup = 64;

/** What all requests of a session share. */
export interface SessionContext extends RequestContext {
  readonly attention: GPUComputePipeline;
  readonly finish: GPUComputePipeline;
  readonly jobLimits: JobLimits;
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
    const fields = new Float32Array(stateFields);
    fields[stateField.rm] = noMaximum;
    // SLNV needs no beginning: the kernels begin it with each tile.
    upload(this.#context, this.#plan, this.#buffers, fields, 1);
  }

  /** Takes the rows through the tiles of the plan, or of a part of it. */
  async advance(signal?: AbortSignal, plan = this.#plan, pipeline = this.#context.attention): Promise<void> {
    const { problem, jobLimits } = this.#context;
    if (plan !== this.#plan) writeBlocks(this.#context.guard, plan, this.#buffers);
    const dispatch = (job: Job): void => this.#dispatch(job, pipeline);
    await inPace(this.#context, planJobs(problem, plan, jobLimits), dispatch, signal);
  }

  #dispatch(job: Job, pipeline: GPUComputePipeline): void {
    const { guard, chunks } = this.#context;
    const { job: jobBuffer, blocks, windows, queries, state, sums, scratch } = this.#buffers;
    const keys = chunks.keys(job.chunk);
    const values = chunks.values(job.chunk);
    this.#writeJob(job, keys.kvHeadStride, values.kvHeadStride);
    const own = { 0: jobBuffer, 1: blocks, 2: windows, 3: queries, 4: keys.buffer, 5: values.buffer };
    const encoder = guard.device.createCommandEncoder();
    encodeDispatch(guard.device, encoder, pipeline, { ...own, 6: state, 7: sums, 8: scratch }, job.blockCount);
    guard.device.queue.submit([encoder.finish()]);
  }

  #writeJob(job: Job, keyStride: number, valueStride: number): void {
    const tilePages = tilePagesOf(this.#context.problem);
    const view = new DataView(new ArrayBuffer(jobLayout.byteSize));
    jobLayout.write(view, 0, {
      ...jobMembers(this.#context.problem, job),
      phases: job.phases,
      keyStride,
      valueStride,
      tilePages,
      weightsAt: (this.#slots / 8) * tilePages,
      partsAt: this.#sumsEights,
      dumpEights: dumpEightsOf(this.#context.problem),
    });
    this.#context.guard.device.queue.writeBuffer(this.#buffers.job, 0, view.buffer);
  }

  /** Makes AV and hands it and the state to `read`, which must not keep them. */
  async finish<T>(read: (rows: DeviceRows) => T): Promise<T> {
    const { guard, finish, problem } = this.#context;
    const { job, state, sums, av } = this.#buffers;
    const values = this.#slots * problem.shape.valueDim;
    this.#writeJob(noJob, 0, 0);
    const encoder = guard.device.createCommandEncoder();
    const buffers = { 0: job, 6: state, 7: sums, 8: av };
    encodeDispatch(guard.device, encoder, finish, buffers, Math.ceil(values / finishWorkgroup));
    return readBack(guard, encoder, this.#buffers, values, stateHeader + this.#slots * stateFields, read);
  }
}

/** For kernels that work on no tile. */
const noJob: Job = {
  chunk: { kvHeadBegin: 0, kvHeadCount: 0, keyBegin: 0, keyEnd: 0 },
  ...{ blockBegin: 0, blockCount: 0, keyBegin: 0, keyEnd: 0, phases: 0, macs: 0 },
};
