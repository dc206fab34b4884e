import type { AttentionProblem, Operands } from "../../attention/problem.js";
import { headOf, type RowRange, rowsOfHead } from "../../attention/rows.js";
import type { TileProgram } from "../../program/program.js";
import type { RowBlock, Session } from "../engine.js";
import { countTiles } from "../webgpu/blocks.js";
import { type Fault, type ProgramForm, RowRunner } from "./row-runner.js";
import { mergingRuns } from "./split-runner.js";

/** What one request should compute, in multiply-accumulates: some 0.1 s. */
const macsPerRequest = 5e7;

/** A tile program as JavaScript. */
export function openPrinted(
  problem: AttentionProblem,
  operands: Operands,
  program: TileProgram,
  form: ProgramForm,
): Session {
  const { shape } = problem;
  const { keys, headDim, valueDim } = shape;
  const runner = mergingRuns(problem, operands, new RowRunner(problem, operands, program, { form }));
  const run = async (range: RowRange, signal?: AbortSignal): Promise<RowBlock> => {
    const av = new Float32Array((range.end - range.start) * valueDim);
    const states = problem.states === true ? new Float32Array(2 * (range.end - range.start)) : undefined;
    let overflowRow: number | null = null;
    const saturatedBefore = runner.saturated;
    for (let start = range.start; start < range.end; ) {
      const end = Math.min(range.end, start + runner.rowsAtOnce, rowsOfHead(shape, headOf(shape, start)).end);
      const own = states?.subarray(2 * (start - range.start));
      const fault = runner.run({ start, end }, av.subarray((start - range.start) * valueDim), {
        stopped: () => signal?.throwIfAborted(),
        ...(own === undefined ? {} : { states: own }),
      });
      overflowRow ??= fault?.row ?? null;
      start = end;
    }
    const tiles = countTiles(problem, range);
    const saturated = runner.saturated - saturatedBefore;
    return { range, av, overflowRow, saturated, tiles, ...(states === undefined ? {} : { states }) };
  };
  return {
    concurrency: 1,
    rowsPerRequest: Math.max(1, Math.floor(macsPerRequest / (keys * (headDim + valueDim)))),
    run,
    dump: async () => {
      throw new Error("a printed program has no tile of FuseMax's tensors");
    },
    close: async () => {},
  };
}

/** The first fault of one output row, or null: how the offender of any engine is named. */
export function traceFault(
  problem: AttentionProblem,
  operands: Operands,
  program: TileProgram,
  row: number,
): Fault | null {
  const av = new Float32Array(problem.shape.valueDim);
  const runner = mergingRuns(problem, operands, new RowRunner(problem, operands, program, { mostRows: 1 }));
  return runner.run({ start: row, end: row + 1 }, av);
}
