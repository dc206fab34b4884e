import type { AttentionProblem, Operands } from "../../attention/problem.js";
import { allRows, type RowRange, rowsPerKvHead } from "../../attention/rows.js";
import type { TileCoordinates } from "../../attention/tile.js";
import { DeviceError } from "../../errors.js";
import type { Engine, RowBlock, Session } from "../engine.js";
import { programOf } from "../program-of.js";
import type { TileDump } from "../tile-dump.js";
import { dumpTile } from "./dump.js";
import type { WasmHost } from "./host.js";
import { lanes, memoryBudget, openKernels } from "./kernels.js";
import type { ToWorker } from "./messages.js";
import { type Answer, WorkerPool } from "./pool.js";
import { intoSharedMemory, sharedFloats } from "./shared-floats.js";

export interface WasmEngineOptions {
  /** How many worker threads; as many as the host finds worth starting by default. */
  readonly threads?: number;
  /** False to print FuseMax's own cascade as well; the bits are the same. */
  readonly specialize?: boolean;
}

/**
 * What a request may take; two of them a thread are under way at once. Where keys are many a shorter one has few rows, for
 * which packing K and V costs too much.
 */
const secondsPerRequest = 2;
/** Assumed until the first request is measured. */
const macsPerSecondAtFirst = 5e9;
/** What a worker takes through the keys together, so that packing K and V costs little (assembly/memory.ts, `mostLaneGroups`). */
const mostRowsPerRequest = 128 * lanes;
const fewestRowsPerRequest = 16 * lanes;

/**
 * The WebAssembly engine: SIMD kernels (assembly/) on worker threads, each with a memory of its own; the operands are
 * shared where the host can share memory. Needs no GPU.
 * @example
 * ```ts
 * import { nodeWasmHost, wasmEngine } from "fusemax/node";
 *
 * const engine = wasmEngine(await nodeWasmHost());
 * console.log(engine.name); // wasm
 * await engine.close();
 * ```
 */
export function wasmEngine(host: WasmHost, options: WasmEngineOptions = {}): Engine {
  const pool = new WorkerPool(host, Math.max(1, options.threads ?? host.threads));
  let sessions = 0;
  return {
    name: "wasm",
    adapter: null,
    ...(host.sharesMemory ? { allocate: sharedFloats } : {}),
    open: async (problem, operands) => {
      // Refuses here, in the caller's words, what no thread could run.
      programOf(problem, options.specialize === false);
      sessions += 1;
      return new WasmSession(host, pool, sessions, problem, operands, options.specialize ?? true);
    },
    close: () => pool.close(),
  };
}

class WasmSession implements Session {
  private readonly stop: Int32Array | null;
  private readonly open: Extract<ToWorker, { type: "open" }>;
  private rowsPerSecond: number;
  /** Every row before it has been asked for. */
  private asked = 0;

  constructor(
    private readonly host: WasmHost,
    private readonly pool: WorkerPool,
    session: number,
    private readonly problem: AttentionProblem,
    private readonly operands: Operands,
    specialize: boolean,
  ) {
    const { keys, headDim, valueDim } = problem.shape;
    this.stop = host.sharesMemory ? new Int32Array(new SharedArrayBuffer(4)) : null;
    const shared = host.sharesMemory ? intoSharedMemory(operands) : operands;
    const budget = Math.floor(memoryBudget / pool.size);
    this.open = { type: "open", session, problem, operands: shared, budget, specialize, stop: this.stop };
    this.rowsPerSecond = macsPerSecondAtFirst / (keys * (headDim + valueDim));
  }

  get concurrency(): number {
    return 2 * this.pool.size;
  }

  /**
   * A share of what is left, so that all threads end at about the same time; in whole lane groups, or, where a key/value head
   * has fewer rows than a lane group has lanes (decode), in whole heads.
   */
  get rowsPerRequest(): number {
    const unit = Math.min(lanes, rowsPerKvHead(this.problem.shape));
    const left = allRows(this.problem).end - this.asked;
    const fewest = Math.min(fewestRowsPerRequest, Math.ceil(allRows(this.problem).end / this.concurrency));
    const share = Math.max(left / this.concurrency, fewest);
    const rows = Math.min(this.rowsPerSecond * secondsPerRequest, share, mostRowsPerRequest);
    return unit * Math.max(1, Math.ceil(rows / unit));
  }

  async run(range: RowRange, signal?: AbortSignal): Promise<RowBlock> {
    signal?.throwIfAborted();
    const { pool, open } = this;
    this.asked = Math.max(this.asked, range.end);
    const { block, seconds } = await new Promise<Answer>((resolve, reject) => {
      const abort = (): void => {
        this.halt();
        reject(signal?.reason);
      };
      signal?.addEventListener("abort", abort, { once: true });
      pool
        .run(open, range)
        .then(resolve, reject)
        .finally(() => signal?.removeEventListener("abort", abort));
    });
    if (block === null) throw signal?.reason ?? new DeviceError(stoppedEarly);
    this.rowsPerSecond = (range.end - range.start) / seconds;
    return block;
  }

  /** Stops the requests under way between two key tiles, and those that wait. */
  private halt(): void {
    if (this.stop !== null) Atomics.store(this.stop, 0, 1);
    this.pool.drop(this.open.session);
  }

  async dump(at: TileCoordinates): Promise<TileDump> {
    return dumpTile(this.problem, this.operands, await openKernels(this.host.module, this.problem), at);
  }

  async close(): Promise<void> {
    this.pool.closeSession(this.open.session);
  }
}

const stoppedEarly = { where: "engine wasm", got: "a session that was stopped", expected: "one that is open" };
