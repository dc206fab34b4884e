import type { AttentionProblem, Operands } from "../../attention/problem.js";
import type { RowRange } from "../../attention/rows.js";
import type { TileCoordinates } from "../../attention/tile.js";
import { requireFormat } from "../../numerics/format-of.js";
import type { RowBlock, Session } from "../engine.js";
import { programOf } from "../program-of.js";
import { emptyDump, firstRowOf, requireTile, type TileDump } from "../tile-dump.js";
import { type BlockPlan, countTiles, planBlocks } from "./blocks.js";
import { bytesPerKey, ChunkCache } from "./chunk-cache.js";
import { collectDump, readDump, tilesOf } from "./dump.js";
import type { EngineContext } from "./engine-context.js";
import { keyOrder } from "./key-order.js";
import { jobLayout } from "./layout.js";
import { Pace } from "./pace.js";
import { eight } from "./pack.js";
import { Packer } from "./packer.js";
import { openPrintedSession } from "./program-session.js";
import { finishWorkgroup, Request, type SessionContext } from "./request.js";
import { dumpEightsOf, RequestBuffers, type RequestSizes, requestSizes } from "./request-buffers.js";
import { RequestPool, slotsWithin } from "./request-pool.js";
import type { DeviceRows } from "./request-steps.js";
import { stateField, stateFields, stateHeader } from "./state.js";
import type { Variant } from "./variant.js";

/** Opens one problem on a device. */
export async function openSession(
  engine: EngineContext,
  problem: AttentionProblem,
  operands: Operands,
): Promise<Session> {
  const program = programOf(problem, !engine.specialize);
  if (program !== null) return openPrintedSession(engine, problem, operands, program);
  const { guard, kernels, paces, variantFor } = engine;
  const startedAt = performance.now();
  const { arithmetic } = problem;
  const { name } = requireFormat(arithmetic, "engine webgpu");
  const variant = variantFor(problem);
  const { kernel, workgroupSize, shape = {}, quads = false } = variant;
  const attentionKernel = { name: kernel, arithmetic, workgroupSize, constants: shape, quads };
  const [attention, finish, packer] = await guard.wait(
    Promise.all([
      kernels.pipeline(attentionKernel),
      kernels.pipeline({ name: "finish", arithmetic, workgroupSize: finishWorkgroup }),
      Packer.open(guard, kernels, arithmetic),
    ]),
  );
  const compileSeconds = (performance.now() - startedAt) / 1000;
  const pace = paces.get(name) ?? new Pace(guard.device.queue, variant.firstRate);
  paces.set(name, pace);
  // A tile longer than the sequence is the sequence.
  const m0 = Math.min(problem.tile.m0, problem.shape.keys);
  const clipped = { ...problem, tile: { ...problem.tile, m0 } };
  const { limits } = guard.device;
  const binding = Math.min(limits.maxStorageBufferBindingSize, limits.maxBufferSize);
  const context: SessionContext = {
    ...{ guard, operands, attention, finish, packer, pace, problem: clipped },
    chunks: new ChunkCache(guard.device, packer, clipped, operands, variant.cacheBytes, keyOrder(clipped, false)),
    jobLimits: {
      chunkKeys: Math.max(eight, Math.floor(Math.min(binding, variant.chunkBytes) / bytesPerKey(clipped))),
      parallelBlocks: variant.parallelBlocks,
      budget: () => pace.budget(),
    },
  };
  const { blockRows } = variant;
  const uploadBytes = 4 * blockRows * problem.shape.headDim;
  const sizes = (slots: number) => requestSizes(clipped, slots, variant);
  const bytes = Math.max(uploadBytes, ...Object.values(sizes(blockRows)));
  const mostSlots = slotsWithin(Math.min(binding, variant.requestBytes), bytes, clipped, blockRows);
  const pool = new RequestPool(context, variant, mostSlots, sizes, jobLayout.byteSize);
  const dumping = () => kernels.pipeline({ ...attentionKernel, dumps: true });
  return new WebGpuSession(context, variant, pool, compileSeconds, dumping);
}

class WebGpuSession implements Session {
  readonly concurrency = 2;

  constructor(
    private readonly context: SessionContext,
    private readonly variant: Variant,
    private readonly pool: RequestPool,
    readonly compileSeconds: number,
    /** The same kernel, with its stores of intermediates switched on. */
    private readonly dumping: () => Promise<GPUComputePipeline>,
  ) {}

  get rowsPerRequest(): number {
    return this.pool.rowsPerRequest;
  }

  async run(range: RowRange, signal?: AbortSignal): Promise<RowBlock> {
    const { problem } = this.context;
    const plan = planBlocks(problem, range, this.variant.blockRows);
    return this.pool.withBuffers(plan, async buffers => {
      const request = new Request(this.context, plan, buffers);
      request.start();
      await request.advance(signal);
      const av = new Float32Array((range.end - range.start) * problem.shape.valueDim);
      const overflowRow = await request.finish(rows => collect(plan, range, problem.shape.valueDim, rows, av));
      return { range, av, overflowRow, tiles: countTiles(problem, range) };
    });
  }

  /** The tiles before this one as in a run, then this one by the same kernel with its stores switched on. */
  async dump(at: TileCoordinates): Promise<TileDump> {
    const { problem, guard } = this.context;
    requireTile(at, problem);
    const dumping = await guard.wait(this.dumping());
    const out = emptyDump(problem, at);
    // As many query columns at a time as fit a request.
    for (let first = 0; first < out.columns; first += this.#dumpColumns) {
      const start = firstRowOf(problem, at) + first;
      const rows = { start, end: start + Math.min(out.columns - first, this.#dumpColumns) };
      const plan = planBlocks(problem, rows, this.variant.blockRows);
      const slots = plan.blocks.length * plan.blockRows;
      const buffers = new RequestBuffers(guard.device, this.#dumpSizes(slots), jobLayout.byteSize);
      try {
        const request = new Request(this.context, plan, buffers);
        request.start();
        await request.advance(undefined, tilesOf(plan, 0, at.m1));
        await request.advance(undefined, tilesOf(plan, at.m1, at.m1 + 1), dumping);
        collectDump(problem, at, plan, rows, await readDump(guard, slots, buffers), out);
      } finally {
        buffers.close();
      }
    }
    return out;
  }

  #dumpSizes(slots: number): RequestSizes {
    return requestSizes(this.context.problem, slots, this.variant, dumpEightsOf(this.context.problem));
  }

  get #dumpColumns(): number {
    const { blockRows, requestBytes } = this.variant;
    const bytes = Math.max(...Object.values(this.#dumpSizes(blockRows)));
    return Math.min(this.pool.mostSlots, Math.max(1, Math.floor(requestBytes / bytes)) * blockRows);
  }

  async close(): Promise<void> {
    this.pool.close();
    this.context.chunks.close();
  }
}

/** Puts AV into rows; gives the first row that overflowed, or null. */
function collect(
  { blocks, blockRows }: BlockPlan,
  range: RowRange,
  valueDim: number,
  device: DeviceRows,
  av: Float32Array,
): number | null {
  let overflowRow: number | null = null;
  for (const [n, { row, count }] of blocks.entries()) {
    const from = n * blockRows * valueDim;
    av.set(device.av.subarray(from, from + count * valueDim), (row - range.start) * valueDim);
    for (let i = 0; i < count && overflowRow === null; i += 1) {
      const slot = n * blockRows + i;
      const at = stateHeader + (Math.floor(slot / 8) * stateFields + stateField.bad) * 8 + (slot % 8);
      if (device.state[at] !== 0) overflowRow = row + i;
    }
  }
  return overflowRow;
}
