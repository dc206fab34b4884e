import {
  type CheckOptions,
  checkOnInputs,
  checkOnOperands,
  type ErrorWithWorst,
  type OperandCheck,
  sampleRows,
} from "../../emulator/check.js";
import type { AttentionProblem, Operands } from "../../emulator/problem.js";
import { startProgress } from "../progress.js";
import { loadInputs } from "./inputs.js";
import type { RunOptions } from "./options.js";
import type { RunPlan } from "./plan.js";

/** The rows that --check asks for. */
export function rowsToCheck(problem: AttentionProblem, { check }: Pick<RunOptions, "check">): readonly number[] {
  return check === "none" ? [] : sampleRows(problem, check === "full" ? Number.POSITIVE_INFINITY : check);
}

/** Emulated rows and the baseline against float64 attention on the operands. */
export const comparedWithOperands = (
  { problem }: RunPlan,
  operands: Operands,
  av: Float32Array,
  rows: readonly number[],
  options: RunOptions,
): Promise<OperandCheck> =>
  withProgress("checking", rows, options, progress => checkOnOperands(problem, operands, av, rows, progress));

/** Emulated rows against float64 attention on the inputs as given. */
export async function comparedWithInputs(
  { problem, pieces }: RunPlan,
  av: Float32Array,
  rows: readonly number[],
  options: RunOptions,
): Promise<ErrorWithWorst> {
  const inputs = await loadInputs(pieces, problem.shape);
  return withProgress("checking inputs", rows, options, progress => checkOnInputs(problem, inputs, av, rows, progress));
}

async function withProgress<T>(
  task: string,
  rows: readonly number[],
  { json }: RunOptions,
  work: (options: CheckOptions) => Promise<T>,
): Promise<T> {
  const progress = await startProgress(task, "rows", rows.length, json === true);
  try {
    return await work({ onProgress: ({ rowsDone }) => progress.update(rowsDone) });
  } finally {
    progress.stop();
  }
}
