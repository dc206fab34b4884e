import type { AttentionProblem, Operands } from "../../attention/problem.js";
import {
  checkOnInputs,
  checkOnOperands,
  type ErrorWithWorst,
  type OperandCheck,
  sampleRows,
} from "../../emulator/check.js";
import { compareOnThreads } from "../../platform/compare-on-threads.js";
import { loadInputs } from "./inputs.js";
import type { RunOptions } from "./options.js";
import type { RunPlan } from "./plan.js";
import { withLoadingProgress, withRowProgress } from "./with-progress.js";

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
  withRowProgress("checking", rows.length, options, onProgress =>
    checkOnOperands(problem, operands, av, rows, { onProgress, compare: compareOnThreads }),
  );

/** Emulated rows against float64 attention on the inputs as given. */
export async function comparedWithInputs(
  { problem, pieces }: RunPlan,
  av: Float32Array,
  rows: readonly number[],
  options: RunOptions,
): Promise<ErrorWithWorst> {
  const { shape } = problem;
  const inputs = await withLoadingProgress(shape, options, onValues => loadInputs(pieces, shape, onValues));
  return withRowProgress("checking inputs", rows.length, options, onProgress =>
    checkOnInputs(problem, inputs, av, rows, { onProgress, compare: compareOnThreads }),
  );
}
