import { exponentFactor } from "../../numerics/pe.js";
import type { RowBlock, Session } from "../engine.js";
import type { AttentionProblem, Operands, RowRange, TileCoordinates, TileDump } from "../problem.js";
import { allRows } from "../visible.js";
import { type BlockPlan, countTiles, planBlocks } from "./blocks.js";
import { bytesPerKey, ChunkCache } from "./chunk-cache.js";
import type { DeviceGuard } from "./device-guard.js";
import { type Job, planJobs } from "./jobs.js";
import type { KernelCache } from "./kernel.js";
import { blockLayout, jobLayout } from "./layout.js";
import { Pace } from "./pace.js";
import { keyWordsOf, packInterleaved, valueBlocksOf } from "./pack.js";
import {
  noMaximum,
  RequestBuffers,
  requestSizes,
  stateField,
  stateFields,
  stateHeader,
  tileKeysOf,
} from "./request-buffers.js";
import type { Variant } from "./variant.js";

/** Seconds that a request should take, from which the number of its rows follows. */
const requestSeconds = 0.4;
const finishWorkgroup = 64;

/** One problem on a device. */
export class WebGpuSession implements Session {
  readonly concurrency = 2;
  readonly compileSeconds: number;
  readonly #guard: DeviceGuard;
  readonly #problem: AttentionProblem;
  readonly #operands: Operands;
  readonly #variant: Variant;
  readonly #pace: Pace;
  readonly #attention: GPUComputePipeline;
  readonly #finish: GPUComputePipeline;
  readonly #chunks: ChunkCache;
  readonly #chunkKeys: number;
  /** Most slots of a request, which the buffers are made for. */
  readonly #slots: number;
  readonly #free: RequestBuffers[] = [];

  static async open(
    guard: DeviceGuard,
    kernels: KernelCache,
    variant: Variant,
    paces: Map<string, Pace>,
    problem: AttentionProblem,
    operands: Operands,
  ): Promise<WebGpuSession> {
    const startedAt = performance.now();
    const { name } = problem.format;
    const { kernel, workgroupSize } = variant;
    const [attention, finish] = await guard.wait(
      Promise.all([
        kernels.pipeline(kernel, name, { workgroupSize }),
        kernels.pipeline("finish", name, { workgroupSize: finishWorkgroup }),
      ]),
    );
    const compileSeconds = (performance.now() - startedAt) / 1000;
    const pace = paces.get(name) ?? new Pace(guard.device.queue, variant.firstRate);
    paces.set(name, pace);
    // A tile longer than the sequence is the sequence.
    const m0 = Math.min(problem.tile.m0, problem.shape.keys);
    const clipped = { ...problem, tile: { ...problem.tile, m0 } };
    return new WebGpuSession(guard, variant, pace, { attention, finish, compileSeconds }, clipped, operands);
  }

  private constructor(
    guard: DeviceGuard,
    variant: Variant,
    pace: Pace,
    compiled: { attention: GPUComputePipeline; finish: GPUComputePipeline; compileSeconds: number },
    problem: AttentionProblem,
    operands: Operands,
  ) {
    this.#guard = guard;
    this.#variant = variant;
    this.#pace = pace;
    this.#attention = compiled.attention;
    this.#finish = compiled.finish;
    this.compileSeconds = compiled.compileSeconds;
    this.#problem = problem;
    this.#operands = operands;
    const { limits } = guard.device;
    const binding = Math.min(limits.maxStorageBufferBindingSize, limits.maxBufferSize);
    this.#chunkKeys = Math.max(4, Math.floor(Math.min(binding, variant.chunkBytes) / bytesPerKey(problem)));
    this.#chunks = new ChunkCache(guard.device, problem, operands, variant.cacheBytes);
    this.#slots = this.#mostSlots(Math.min(binding, variant.requestBytes));
  }

  /** As many whole blocks as fit the largest buffer that a request may have, and no more than there are rows for. */
  #mostSlots(limitBytes: number): number {
    const { blockRows } = this.#variant;
    const bytes = Math.max(...Object.values(requestSizes(this.#problem, blockRows, blockRows)));
    const fit = Math.max(1, Math.floor(limitBytes / bytes));
    const rows = allRows(this.#problem).end;
    const groups = this.#problem.shape.batch * this.#problem.shape.kvHeads;
    // Each group of rows may end with a block that is not full.
    return Math.min(fit, Math.ceil(rows / blockRows) + groups) * blockRows;
  }

  get rowsPerRequest(): number {
    const { keys, headDim, valueDim, queries, heads, kvHeads } = this.#problem.shape;
    const { blockRows, parallelBlocks } = this.#variant;
    const affordable = (this.#pace.rate * requestSeconds) / (keys * (headDim + valueDim));
    const blocks = Math.max(Math.ceil(affordable / blockRows), parallelBlocks);
    // A group of rows that is no multiple of a block leaves slots empty.
    const groupRows = (heads / kvHeads) * queries;
    const filled = groupRows / (Math.ceil(groupRows / blockRows) * blockRows);
    const most = Math.max(1, this.#slots / blockRows - 2);
    return Math.max(1, Math.floor(Math.min(blocks, most) * blockRows * filled));
  }

  async run(range: RowRange, signal?: AbortSignal): Promise<RowBlock> {
    const plan = planBlocks(this.#problem, range, this.#variant.blockRows);
    const buffers = this.#take(plan);
    try {
      await this.#advance(plan, buffers, signal);
      const { sums, state } = await this.#readBack(plan, buffers);
      const av = new Float32Array((range.end - range.start) * this.#problem.shape.valueDim);
      const overflowRow = this.#collect(plan, range, sums, state, av);
      return { range, av, overflowRow, tiles: countTiles(this.#problem, range) };
    } finally {
      this.#free.push(buffers);
    }
  }

  #take(plan: BlockPlan): RequestBuffers {
    const slots = Math.max(this.#slots, plan.blocks.length * plan.blockRows);
    const sizes = requestSizes(this.#problem, slots, plan.blockRows);
    const at = this.#free.findIndex(buffers => buffers.sizes.queries >= sizes.queries);
    if (at >= 0) return this.#free.splice(at, 1)[0] as RequestBuffers;
    return new RequestBuffers(this.#guard.device, sizes);
  }

  /** Takes the rows of the plan through their tiles. */
  async #advance(plan: BlockPlan, buffers: RequestBuffers, signal?: AbortSignal): Promise<void> {
    this.#start(plan, buffers);
    const limits = {
      chunkKeys: this.#chunkKeys,
      parallelBlocks: this.#variant.parallelBlocks,
      budget: () => this.#pace.budget(),
    };
    for (const job of planJobs(this.#problem, plan, limits)) {
      await this.#guard.wait(this.#pace.turn());
      signal?.throwIfAborted();
      this.#submit(job, buffers, plan);
      this.#pace.submitted(job.macs);
    }
  }

  /** Uploads queries, windows and blocks, and sets RM to none, RD and RNV to +0. */
  #start({ blocks, blockRows, windows }: BlockPlan, buffers: RequestBuffers): void {
    const { device } = this.#guard;
    const { shape, format } = this.#problem;
    const slots = blocks.length * blockRows;
    const table = new DataView(new ArrayBuffer(blocks.length * blockLayout.byteSize));
    for (const [n, block] of blocks.entries()) blockLayout.write(table, n * blockLayout.byteSize, block);
    device.queue.writeBuffer(buffers.blocks, 0, table.buffer);
    device.queue.writeBuffer(buffers.windows, 0, windows);
    const queries = new Uint32Array(slots * keyWordsOf(shape.headDim, format.operand));
    const rowAt = (slot: number): number => {
      const block = blocks[Math.floor(slot / blockRows)] as BlockPlan["blocks"][number];
      const i = slot % blockRows;
      return i < block.count ? (block.row + i) * shape.headDim : -1;
    };
    packInterleaved(this.#operands.q, rowAt, slots, shape.headDim, 8, format.operand, queries);
    device.queue.writeBuffer(buffers.queries, 0, queries);
    const state = new Float32Array(stateHeader + slots * stateFields);
    for (let at = stateHeader; at < state.length; at += stateFields * 8) state.fill(noMaximum, at, at + 8);
    device.queue.writeBuffer(buffers.state, 0, state);
    const encoder = device.createCommandEncoder();
    encoder.clearBuffer(buffers.sums, 0, this.#sumsVectors(slots) * 16);
    device.queue.submit([encoder.finish()]);
  }

  /** RNV of so many slots, in vec4s. */
  #sumsVectors(slots: number): number {
    return (slots / 8) * valueBlocksOf(this.#problem.shape.valueDim) * 16;
  }

  #submit(job: Job, buffers: RequestBuffers, plan: BlockPlan): void {
    const { device } = this.#guard;
    const keys = this.#chunks.keys(job.chunk);
    const values = this.#chunks.values(job.chunk);
    this.#writeJob(job, buffers, plan, keys.groupStride, values.groupStride);
    const entries = [
      ...[buffers.job, buffers.blocks, buffers.windows, buffers.queries, keys.buffer, values.buffer],
      ...[buffers.state, buffers.sums, buffers.scratch],
    ].map((buffer, binding) => ({ binding, resource: { buffer } }));
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(this.#attention);
    pass.setBindGroup(0, device.createBindGroup({ layout: this.#attention.getBindGroupLayout(0), entries }));
    pass.dispatchWorkgroups(job.blockCount);
    pass.end();
    device.queue.submit([encoder.finish()]);
  }

  #writeJob(job: Job, buffers: RequestBuffers, plan: BlockPlan, keyStride: number, valueStride: number): void {
    const { shape, tile, format, scale } = this.#problem;
    const slots = plan.blocks.length * plan.blockRows;
    const tileKeys = tileKeysOf(this.#problem);
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
      keyWords: keyWordsOf(shape.headDim, format.operand),
      valueBlocks: valueBlocksOf(shape.valueDim),
      keyCount: shape.keys,
      m0: tile.m0,
      tileKeys,
      weightsAt: (slots / 8) * tileKeys * 2,
      partsAt: this.#sumsVectors(slots),
      factor: exponentFactor(scale),
    });
    this.#guard.device.queue.writeBuffer(buffers.job, 0, view.buffer);
  }

  /** AV in place of RNV, then both AV and the state to the host. */
  async #readBack(plan: BlockPlan, buffers: RequestBuffers): Promise<{ sums: Float32Array; state: Float32Array }> {
    const { device } = this.#guard;
    const slots = plan.blocks.length * plan.blockRows;
    const sumsBytes = this.#sumsVectors(slots) * 16;
    const stateBytes = 4 * (stateHeader + slots * stateFields);
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(this.#finish);
    const entries = [
      { binding: 0, resource: { buffer: buffers.job } },
      { binding: 6, resource: { buffer: buffers.state } },
      { binding: 7, resource: { buffer: buffers.sums } },
    ];
    pass.setBindGroup(0, device.createBindGroup({ layout: this.#finish.getBindGroupLayout(0), entries }));
    const workgroups = Math.ceil(sumsBytes / 4 / finishWorkgroup);
    const rows = Math.ceil(workgroups / 65535);
    pass.dispatchWorkgroups(Math.ceil(workgroups / rows), rows);
    pass.end();
    encoder.copyBufferToBuffer(buffers.sums, 0, buffers.readback, 0, sumsBytes);
    encoder.copyBufferToBuffer(buffers.state, 0, buffers.readback, sumsBytes, stateBytes);
    device.queue.submit([encoder.finish()]);
    await this.#guard.wait(buffers.readback.mapAsync(GPUMapMode.READ, 0, sumsBytes + stateBytes));
    const mapped = buffers.readback.getMappedRange(0, sumsBytes + stateBytes).slice(0);
    buffers.readback.unmap();
    return { sums: new Float32Array(mapped, 0, sumsBytes / 4), state: new Float32Array(mapped, sumsBytes) };
  }

  /** Puts AV [slot / 8][F][8 slots] into rows; gives the first row that overflowed, or null. */
  #collect(
    { blocks, blockRows }: BlockPlan,
    range: RowRange,
    sums: Float32Array,
    state: Float32Array,
    av: Float32Array,
  ): number | null {
    const { valueDim } = this.#problem.shape;
    const padded = valueBlocksOf(valueDim) * 8;
    let overflowRow: number | null = null;
    for (const [n, { row, count }] of blocks.entries()) {
      for (let i = 0; i < count; i += 1) {
        const slot = n * blockRows + i;
        const slotBlock = Math.floor(slot / 8);
        const from = slotBlock * padded * 8 + (slot % 8);
        const to = (row + i - range.start) * valueDim;
        for (let f = 0; f < valueDim; f += 1) av[to + f] = sums[from + f * 8] as number;
        const bad = state[stateHeader + (slotBlock * stateFields + stateField.bad) * 8 + (slot % 8)] as number;
        if (bad !== 0 && overflowRow === null) overflowRow = row + i;
      }
    }
    return overflowRow;
  }

  async dump(at: TileCoordinates): Promise<TileDump> {
    throw new Error(`not yet: ${at.m1}`);
  }

  async close(): Promise<void> {
    for (const buffers of this.#free) buffers.close();
    this.#chunks.close();
  }
}
