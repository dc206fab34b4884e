import type { AttentionProblem, Operands } from "../../attention/problem.js";
import { kvHeadOfRow } from "../../attention/rows.js";
import { isScaledAfterwards } from "../../numerics/arithmetic.js";
import type { Pass, TileProgram } from "../../program/program.js";
import type { WgslPlaces } from "../../program/wgsl-places.js";
import { sinkOf } from "../given-scores.js";
import type { BlockPlan } from "./blocks.js";
import { encodeDispatch } from "./dispatch.js";
import { type Job, planJobs } from "./jobs.js";
import type { KeyOrder } from "./key-order.js";
import { programJobLayout } from "./layout.js";
import { initialFields, type RowGiven, scratchPagesOf } from "./program-sizes.js";
import type { RequestBuffers } from "./request-buffers.js";
import { type DeviceRows, inPace, jobMembers, type RequestContext, readBack, upload } from "./request-steps.js";
import { scoreWordsAt, scoreWordsOf } from "./score-words.js";
import { stateHeader } from "./state.js";

/** Invocations of a workgroup of shaders/collect.wgsl. */
export const collectWorkgroup = 64;

/** A pass and its kernel. */
export interface PassPipeline {
  readonly pass: Pass;
  readonly pipeline: GPUComputePipeline;
}

/** What all requests of a session share. */
export interface ProgramContext extends RequestContext {
  readonly program: TileProgram;
  readonly places: WgslPlaces;
  readonly passes: readonly PassPipeline[];
  readonly collect: GPUComputePipeline;
  /** How keys are on the device; `problem` has as many of them as there are places. */
  readonly order: KeyOrder;
  /** Keys of one key/value head that fit a part of K or V. */
  readonly chunkKeys: number;
  readonly parallelBlocks: number;
}

/** What the host knows of each row; null where rows are alike. */
function rowGivenOf(
  { arithmetic, shape, sink }: AttentionProblem,
  operands: Operands,
  sunk: boolean,
): ((row: number) => RowGiven) | null {
  const { q, v } = arithmetic.operands;
  const scales = {
    q: isScaledAfterwards(q) ? operands.scales?.q : undefined,
    v: isScaledAfterwards(v) ? operands.scales?.v : undefined,
  };
  if (sink !== true && scales.q === undefined && scales.v === undefined) return null;
  return row => ({
    sink: sinkOf(operands, shape, row),
    sunk,
    queryScale: scales.q?.[row] ?? 1,
    valueScale: scales.v?.[kvHeadOfRow(shape, row)] ?? 1,
  });
}

/** Some rows on their way through a printed program's passes, their values on the device. */
export class ProgramRequest {
  readonly #slots: number;

  constructor(
    private readonly context: ProgramContext,
    private readonly plan: BlockPlan,
    private readonly buffers: RequestBuffers,
  ) {
    this.#slots = plan.blocks.length * plan.blockRows;
  }

  /** Uploads queries, windows and blocks, and sets what is built up over the tiles. `sunk`: the sink is another run's. */
  start(sunk = false): void {
    const { places, program, problem, operands } = this.context;
    const given = rowGivenOf(problem, operands, sunk);
    const own = given === null ? undefined : (row: number) => initialFields(program, places, given(row));
    upload(this.context, this.plan, this.buffers, initialFields(program, places, { sunk }), places.vector.size, own);
  }

  /** Takes the rows through every pass. */
  async advance(signal?: AbortSignal): Promise<void> {
    const { problem, pace, chunkKeys, parallelBlocks, passes } = this.context;
    const { shape, tile } = problem;
    // A program's tiles are not cut: a dispatch has at least one of as many blocks as fill the adapter.
    const least = this.plan.blockRows * (shape.headDim + shape.valueDim) * tile.m0 * parallelBlocks;
    const limits = { chunkKeys, parallelBlocks, budget: () => Math.max(pace.budget(), least) };
    for (const { pass, pipeline } of passes) {
      if (pass.tile.length > 0) {
        const dispatch = (job: Job): void => this.#dispatch(job, pipeline, false);
        await inPace(this.context, planJobs(problem, this.plan, limits), dispatch, signal);
      }
      if (pass.end.length > 0) this.#dispatch(this.#wholePlan(), pipeline, true);
    }
  }

  /** All blocks, on the chunk of the first: for what works on no keys. */
  #wholePlan(): Job {
    const { chunkKeys, problem } = this.context;
    const keyEnd = Math.min(problem.shape.keys, chunkKeys);
    const kvHead = this.plan.blocks[0]?.kvHead ?? 0;
    const chunk = { kvHeadBegin: kvHead, kvHeadCount: 1, keyBegin: 0, keyEnd };
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
    this.#writeJob(job, atEnd, keys.kvHeadStride, values.kvHeadStride);
    const own = { 0: jobBuffer, 1: blocks, 2: windows, 3: queries, 4: keys.buffer, 5: values.buffer };
    const encoder = guard.device.createCommandEncoder();
    const buffers = { ...own, 6: state, 7: sums, 8: scratch };
    encodeDispatch(guard.device, encoder, pipeline, buffers, job.blockCount);
    guard.device.queue.submit([encoder.finish()]);
  }

  #writeJob(job: Job, atEnd: boolean, keyStride: number, valueStride: number): void {
    const { problem, places, program, guard } = this.context;
    const { shape, tile } = problem;
    const slotBlocks = this.#slots / 8;
    const pages = scratchPagesOf(problem);
    const words = scoreWordsOf(problem);
    const view = new DataView(new ArrayBuffer(programJobLayout.byteSize));
    programJobLayout.write(view, 0, {
      ...jobMembers(problem, job),
      headDim: shape.headDim,
      atEnd: atEnd ? 1 : 0,
      keyStride,
      valueStride,
      slotBlocks,
      stateFields: places.fields,
      tiles: Math.ceil(shape.keys / tile.m0),
      tilePages: pages.tile,
      wholePages: pages.whole,
      tileStride: slotBlocks * pages.tile,
      wholeStride: slotBlocks * pages.whole,
      outputVector: places.vector.get(program.output) ?? 0,
      ...scoreWordsAt(this.#slots, words),
      maskWords: words.mask,
      biasWords: words.bias,
    });
    guard.device.queue.writeBuffer(this.buffers.job, 0, view.buffer);
  }

  /** Brings AV [slot][F] and the state back and hands them to `read`, which must not keep them. */
  async finish<T>(read: (rows: DeviceRows) => T): Promise<T> {
    const { guard, collect, problem, places } = this.context;
    const { job, sums, av } = this.buffers;
    const values = this.#slots * problem.shape.valueDim;
    this.#writeJob(this.#wholePlan(), true, 0, 0);
    const encoder = guard.device.createCommandEncoder();
    encodeDispatch(guard.device, encoder, collect, { 0: job, 7: sums, 8: av }, Math.ceil(values / collectWorkgroup));
    return readBack(guard, encoder, this.buffers, values, stateHeader + this.#slots * places.fields, read);
  }
}
