import type { AttentionProblem, Operands } from "../attention/problem.js";
import { headOf, type RowRange, rowsOfHead } from "../attention/rows.js";
import { breather } from "./breathe.js";
import type { Engine, RowBlock, Session } from "./engine.js";
import type { ProgramForm } from "./javascript/row-runner.js";
import { openPrinted } from "./javascript/session.js";
import { programOf } from "./program-of.js";
import { type RowOverflow, Twin } from "./twin.js";

export interface CpuOptions {
  /** False to print FuseMax's own cascade as well; the bits are the same. */
  readonly specialize?: boolean;
  /** "closures" where no code may be made at run time; the bits are the same. */
  readonly form?: ProgramForm;
}

/**
 * Plain JavaScript: the twin for FuseMax's own cascade, the printed program for any other. What an overflow is traced
 * with.
 * @example
 * ```ts
 * import { cpuEngine, emulate, formatArithmetics, generateNormal, noMask } from "fusemax";
 *
 * const problem = {
 *   shape: { batch: 1, heads: 1, kvHeads: 1, queries: 8, keys: 64, headDim: 16, valueDim: 16 },
 *   mask: noMask,
 *   tile: { m0: 16, p0: 8 },
 *   arithmetic: formatArithmetics.bf16,
 *   scale: 0.25,
 * };
 * const inputs = { q: generateNormal(0, "q", 128), k: generateNormal(0, "k", 1024), v: generateNormal(0, "v", 1024) };
 * const { av } = await emulate(problem, inputs, { engine: cpuEngine() });
 * console.log(av.length); // 128
 * ```
 */
export function cpuEngine({ specialize = true, form = "printed" }: CpuOptions = {}): Engine {
  const open = async (problem: AttentionProblem, operands: Operands): Promise<Session> => {
    const program = programOf(problem, !specialize);
    return program === null ? openTwin(problem, operands) : openPrinted(problem, operands, program, form);
  };
  return { name: "cpu", adapter: null, open, close: async () => {} };
}

/** Query rows that pass a key tile together, so that a tile of K is transposed once for all of them. */
const rowsAtOnce = 64;

/** What one request should compute, in multiply-accumulates: some 0.2 s. */
const macsPerRequest = 5e7;

function openTwin(problem: AttentionProblem, operands: Operands): Session {
  const { shape } = problem;
  const { keys, headDim, valueDim } = shape;
  const twin = new Twin(problem, operands);
  const run = async (range: RowRange, signal?: AbortSignal): Promise<RowBlock> => {
    const av = new Float32Array((range.end - range.start) * valueDim);
    const tilesBefore = twin.tiles;
    const breathe = breather();
    let start = range.start;
    while (start < range.end) {
      signal?.throwIfAborted();
      const end = Math.min(range.end, start + rowsAtOnce, rowsOfHead(shape, headOf(shape, start)).end);
      const steps = twin.steps({ start, end }, av.subarray((start - range.start) * valueDim));
      let step = steps.next();
      // A single row may have millions of keys.
      for (; step.done !== true; step = steps.next()) await breathe();
      const overflow = step.value;
      if (overflow !== null) return { range, av, overflowRow: overflow.row };
      start = end;
    }
    return { range, av, overflowRow: null, tiles: twin.tiles - tilesBefore };
  };
  return {
    concurrency: 1,
    rowsPerRequest: Math.max(1, Math.floor(macsPerRequest / (keys * (headDim + valueDim)))),
    run,
    dump: async at => twin.dump(at),
    close: async () => {},
  };
}

/** The first overflow of one output row, or null: how the offender of any engine is named. */
export function traceOverflow(problem: AttentionProblem, operands: Operands, row: number): RowOverflow | null {
  return new Twin(problem, operands).rows({ start: row, end: row + 1 }, new Float32Array(problem.shape.valueDim));
}
