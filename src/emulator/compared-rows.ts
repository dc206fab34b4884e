import { maskOf } from "../attention/mask.js";
import type { AttentionProblem, Operands } from "../attention/problem.js";
import { referenceRow } from "../reference/attention.js";
import { Baseline } from "./baseline.js";
import { breather } from "./breathe.js";
import type { AttentionInputs } from "./operands.js";

/** What an emulated row is compared with. */
export interface ComparedRow {
  /** [F] of float64 attention. */
  readonly exact: Float64Array;
  /** [F] of the 3-pass baseline, which runs on operands alone. */
  readonly baseline: Float32Array | null;
}

/** The rows of one problem on some tensors: operands, or inputs as given. */
export interface ComparisonTask {
  readonly problem: AttentionProblem;
  readonly rows: readonly number[];
  readonly tensors: { readonly operands: Operands } | { readonly inputs: AttentionInputs };
}

/** Computes the rows of a comparison in their order. */
export type CompareRows = (task: ComparisonTask) => AsyncIterable<ComparedRow>;

/** Makes the function that computes one row. */
export function rowComparer({ problem, tensors }: Omit<ComparisonTask, "rows">): (row: number) => ComparedRow {
  const { shape, scale } = problem;
  const given = "operands" in tensors ? tensors.operands : tensors.inputs;
  const baseline = "operands" in tensors ? new Baseline(problem, tensors.operands) : null;
  const scratch = new Float64Array(shape.keys);
  const mask = maskOf(problem);
  return row => ({
    exact: referenceRow(given, shape, scale, row, mask.span(row), scratch),
    baseline: baseline?.row(row) ?? null,
  });
}

/** One row after the other, here; lets timers and signals through between them. */
export async function* compareHere(task: ComparisonTask): AsyncGenerator<ComparedRow> {
  const compare = rowComparer(task);
  const breathe = breather();
  for (const row of task.rows) {
    yield compare(row);
    await breathe();
  }
}
