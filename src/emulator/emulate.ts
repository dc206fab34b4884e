import type { AttentionProblem, Operands } from "../attention/problem.js";
import { allRows, type RowRange } from "../attention/rows.js";
import { visibleScores } from "../attention/visible.js";
import { DeviceError } from "../errors.js";
import { type Digest, sha256OfValues } from "../numerics/sha256.js";
import { breather } from "./breathe.js";
import { cpuEngine } from "./cpu.js";
import type { Engine, RowBlock, Session } from "./engine.js";
import { offence } from "./offence.js";
import type { AttentionInputs } from "./operands.js";
import { prepare } from "./prepare.js";
import { validateProblem } from "./validate.js";

export interface Progress {
  /** Output rows finished, those of an earlier run included. */
  readonly rowsDone: number;
  readonly rows: number;
}

export interface EmulationOptions {
  readonly engine: Engine;
  /** Another engine to go on with from the last finished block when `engine` is lost (a DeviceError). */
  readonly fallback?: () => Promise<Engine>;
  /** Told when the fallback takes over. */
  readonly onFallback?: (lost: DeviceError, next: Engine) => void;
  /** The rows that are wanted; all by default. */
  readonly range?: RowRange;
  /** Row ranges that an earlier run finished: they are left out. */
  readonly finished?: readonly RowRange[];
  /** Receives every block once, in ascending row order; awaited before the next. */
  readonly onBlock: (block: RowBlock) => void | Promise<void>;
  readonly onProgress?: (progress: Progress) => void;
  readonly signal?: AbortSignal;
}

export interface EmulationRun {
  /** The engine that computed the last rows. */
  readonly engine: Engine;
  /** From the upload of the operands to the last block, compilation left out. */
  readonly seconds: number;
  /** 2 * (scores that exist in the computed rows) * (E + F) / seconds / 1e9. */
  readonly gflops: number;
  /** Why the fallback took over, or null. */
  readonly lost: DeviceError | null;
  /** Tiles computed, or null when the engine does not count them. */
  readonly tiles: number | null;
  /** Softmax numerators of the computed rows that were past the largest value of their type. */
  readonly saturated: number;
}

/**
 * Emulates attention on the FuseMax array block by block: asks the engine for ranges of rows, `concurrency` of them
 * at a time, and hands the blocks on in order.
 * @throws InputError for a problem outside the contract, NumericsError for the first value that left the accumulator's
 * range, DeviceError when the engine is lost and there is no fallback, and the signal's reason when aborted.
 */
export async function emulateRows(
  problem: AttentionProblem,
  operands: Operands,
  options: EmulationOptions,
): Promise<EmulationRun> {
  validateProblem(problem);
  const work = new Work(problem, operands, options);
  let engine = options.engine;
  let lost: DeviceError | null = null;
  try {
    await work.runOn(engine);
  } catch (error) {
    if (!(error instanceof DeviceError) || options.fallback === undefined) throw error;
    lost = error;
    engine = await options.fallback();
    options.onFallback?.(error, engine);
    await work.runOn(engine);
  }
  const { seconds, flops, tiles, saturated } = work;
  return { engine, seconds, gflops: flops / seconds / 1e9, lost, tiles, saturated };
}

/** The rows of a problem that are still to be computed, whichever engine does it. */
class Work {
  seconds = 0;
  flops = 0;
  tiles: number | null = 0;
  saturated = 0;
  private readonly finished: readonly RowRange[];
  private readonly rows: number;
  private readonly end: number;
  private rowsDone: number;
  /** Every row before it is finished. */
  private cursor: number;

  constructor(
    private readonly problem: AttentionProblem,
    private readonly operands: Operands,
    private readonly options: EmulationOptions,
  ) {
    this.finished = [...(options.finished ?? [])].sort((a, b) => a.start - b.start);
    const { start, end } = options.range ?? allRows(problem);
    this.rows = end - start;
    this.end = end;
    this.cursor = start;
    this.rowsDone = this.finished.reduce((sum, { start, end }) => sum + end - start, 0);
  }

  async runOn(engine: Engine): Promise<void> {
    const startedAt = performance.now();
    const session = await engine.open(this.problem, this.operands);
    try {
      await this.drain(session);
    } finally {
      await session.close();
      this.seconds += (performance.now() - startedAt) / 1000 - (session.compileSeconds ?? 0);
    }
  }

  private async drain(session: Session): Promise<void> {
    const { signal } = this.options;
    const pending: Promise<RowBlock>[] = [];
    let asked = this.cursor;
    const breathe = breather();
    try {
      for (;;) {
        signal?.throwIfAborted();
        while (pending.length < session.concurrency) {
          const range = this.unfinished(asked, session.rowsPerRequest);
          if (range === null) break;
          const request = session.run(range, signal);
          request.catch(() => {}); // reported when its turn comes
          pending.push(request);
          asked = range.end;
        }
        const request = pending.shift();
        if (request === undefined) return;
        await this.handOn(await request);
        await breathe();
      }
    } finally {
      await Promise.allSettled(pending);
    }
  }

  /** The next range of at most `most` unfinished rows at or after `from`, or null. */
  private unfinished(from: number, most: number): RowRange | null {
    let start = from;
    for (const range of this.finished) {
      if (range.end <= start) continue;
      if (range.start > start) return { start, end: Math.min(start + most, range.start) };
      start = range.end;
    }
    return start < this.end ? { start, end: Math.min(start + most, this.end) } : null;
  }

  private async handOn(block: RowBlock): Promise<void> {
    const { range, overflowRow } = block;
    if (overflowRow !== null) throw offence(this.problem, this.operands, overflowRow);
    await this.options.onBlock(block);
    const { headDim, valueDim } = this.problem.shape;
    this.cursor = range.end;
    this.rowsDone += range.end - range.start;
    this.flops += 2 * visibleScores(this.problem, range) * (headDim + valueDim);
    this.saturated += block.saturated ?? 0;
    this.tiles = this.tiles === null || block.tiles === undefined ? null : this.tiles + block.tiles;
    this.options.onProgress?.({ rowsDone: this.rowsDone, rows: this.rows });
  }
}

export interface Emulation extends EmulationRun {
  /** The problem with what the inputs say of it: a bias, what that hides, sinks. */
  readonly problem: AttentionProblem;
  /** AV [B,H,P,F] in accumulator values. */
  readonly av: Float32Array;
  /** RM and RD of each row, [B,H,P,2], of a problem that wants them (`logSumExp`); of no meaning for rows without keys. */
  readonly states?: Float32Array;
  /** Of `av` as little-endian fp32, row-major. */
  readonly sha256: string;
  /** The inputs as the multipliers saw them. */
  readonly operands: Operands;
}

/**
 * Emulates attention on inputs as given: rounds them to operands, runs all rows and collects the output.
 * @throws what `prepare` and `emulateRows` throw.
 * @example
 * ```ts
 * import { emulate, formatArithmetics, generateNormal, noMask } from "fusemax";
 *
 * const problem = {
 *   shape: { batch: 1, heads: 1, kvHeads: 1, queries: 8, keys: 64, headDim: 16, valueDim: 16 },
 *   mask: noMask,
 *   tile: { m0: 16, p0: 8 },
 *   arithmetic: formatArithmetics.bf16,
 *   scale: 0.25,
 * };
 * const inputs = { q: generateNormal(0, "q", 128), k: generateNormal(0, "k", 1024), v: generateNormal(0, "v", 1024) };
 * const { av, sha256 } = await emulate(problem, inputs);
 * console.log(av.length, sha256.slice(0, 8)); // 128 fe233127
 * ```
 */
export async function emulate(
  given: AttentionProblem,
  inputs: AttentionInputs,
  options: Partial<Omit<EmulationOptions, "finished" | "range">> & { readonly digest?: Digest } = {},
): Promise<Emulation> {
  const { problem, operands } = prepare(given, inputs, options.engine?.allocate);
  const { valueDim } = problem.shape;
  const av = new Float32Array(allRows(problem).end * valueDim);
  const states = problem.states === true ? new Float32Array(2 * allRows(problem).end) : undefined;
  const run = await emulateRows(problem, operands, {
    ...options,
    engine: options.engine ?? cpuEngine(),
    onBlock: async block => {
      av.set(block.av, block.range.start * valueDim);
      if (block.states !== undefined) states?.set(block.states, 2 * block.range.start);
      await options.onBlock?.(block);
    },
  });
  return {
    ...run,
    problem,
    av,
    sha256: sha256OfValues(av, options.digest),
    operands,
    ...(states === undefined ? {} : { states }),
  };
}
