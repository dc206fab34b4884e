import type { AttentionProblem, Operands } from "../../attention/problem.js";
import {
  type CheckOptions,
  checkOnInputs,
  checkOnOperands,
  countRows,
  type ErrorWithWorst,
  type OperandCheck,
  sampleRows,
} from "../../emulator/check.js";
import { meantInputs } from "../../emulator/given-scales.js";
import { howMany, UsageError } from "../../errors.js";
import { compareOnThreads } from "../../platform/compare-on-threads.js";
import { loadInputs } from "./inputs.js";
import type { RunOptions } from "./options.js";
import type { RunPlan } from "./plan.js";
import { loadScales } from "./scale-files.js";
import { withLoadingProgress, withRowProgress } from "./with-progress.js";

/** Each takes a row of float64 attention, on the operands and on the inputs: more than this would take days. */
const mostCheckedRows = 2 ** 24;

/** The rows that --check asks for. @throws UsageError for more than can be checked. */
export function rowsToCheck(problem: AttentionProblem, { check }: Pick<RunOptions, "check">): readonly number[] {
  const all = countRows(problem);
  if (check !== "none" && Math.min(all, check === "full" ? all : check) > mostCheckedRows) {
    throw new UsageError({
      where: "--check",
      got: howMany(all, "row"),
      expected: `at most ${mostCheckedRows.toLocaleString("en-US")} of them`,
      fix: "take --check sample:N",
    });
  }
  return check === "none" ? [] : sampleRows(problem, check === "full" ? Number.POSITIVE_INFINITY : check);
}

/** Emulated rows and the baseline against float64 attention on the operands. */
export const comparedWithOperands = (
  { problem }: RunPlan,
  operands: Operands,
  av: Float32Array,
  rows: readonly number[],
  options: RunOptions,
  more: Pick<CheckOptions, "onError" | "firstRow"> = {},
): Promise<OperandCheck> =>
  withRowProgress("checking", rows.length, options, onProgress =>
    checkOnOperands(problem, operands, av, rows, { ...more, onProgress, compare: compareOnThreads }),
  );

/** Emulated rows against float64 attention on the inputs as given. */
export async function comparedWithInputs(
  { problem, pieces, scales: stored, addends }: RunPlan,
  av: Float32Array,
  rows: readonly number[],
  options: RunOptions,
  more: Pick<CheckOptions, "onError" | "firstRow"> = {},
): Promise<ErrorWithWorst> {
  const { shape } = problem;
  const given = await withLoadingProgress(shape, options, onValues => loadInputs(pieces, shape, onValues));
  const inputs = meantInputs({ ...given, scales: await loadScales(stored) }, problem);
  return withRowProgress("checking inputs", rows.length, options, onProgress =>
    checkOnInputs(problem, { ...inputs, ...addends }, av, rows, { ...more, onProgress, compare: compareOnThreads }),
  );
}
