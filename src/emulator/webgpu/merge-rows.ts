import { kvHeadOf } from "../../attention/heads.js";
import { isEmpty, type KeyRange } from "../../attention/key-range.js";
import { maskOf, sequenceOf } from "../../attention/mask.js";
import type { AttentionProblem, Operands } from "../../attention/problem.js";
import { batchOf, headOf, type RowRange } from "../../attention/rows.js";
import { isScaledAfterwards } from "../../numerics/arithmetic.js";
import { keyRuns } from "../kv-runs.js";
import { RunMerger, type RunState } from "../merge-runs.js";

/** What a run of split keys gives for rows: RNV [rows, F], RM and RD [rows, 2]. */
export interface RowsOfRun {
  readonly av: Float32Array;
  readonly states: Float32Array;
}

/** Rows of split keys, their runs put together. */
export interface MergedRows extends RowsOfRun {
  /** The first row with a value out of range that no run had, or null. */
  readonly overflowRow: number | null;
}

/** The n-th run of keys of a batch; empty where it has fewer. */
export function runOfKeys(problem: AttentionProblem, n: number): (b: number) => KeyRange {
  const runs = Array.from({ length: problem.shape.batch }, (_, b) => keyRuns(problem, sequenceOf(problem, b).keys)[n]);
  return b => runs[b] ?? { from: 0, to: 0 };
}

/** Puts runs together, row by row (docs/arithmetic.md, "Split keys"): `runs` in ascending order. */
export function mergeRows(
  problem: AttentionProblem,
  operands: Operands,
  range: RowRange,
  runs: readonly RowsOfRun[],
): MergedRows {
  const { shape, arithmetic } = problem;
  const { valueDim } = shape;
  const mask = maskOf(problem);
  const merger = new RunMerger(arithmetic, problem.scale);
  const scales = isScaledAfterwards(arithmetic.operands.v) ? operands.scales?.v : undefined;
  const keysOf = runs.map((_, n) => runOfKeys(problem, n));
  const count = range.end - range.start;
  const av = new Float32Array(count * valueDim);
  const states = new Float32Array(2 * count);
  let overflowRow: number | null = null;
  for (let i = 0; i < count; i += 1) {
    const row = range.start + i;
    const b = batchOf(shape, row);
    const ofRow = runs.flatMap(({ av: rnv, states: own }, n): RunState[] => {
      const keys = keysOf[n]?.(b) ?? { from: 0, to: 0 };
      // The first run has a sink to give, whether it sees a key or not.
      const isSunk = n === 0 && problem.sink === true;
      if (!isSunk && isEmpty(mask.spanWithin(row, keys))) return [];
      const [rm, rd] = [own[2 * i] as number, own[2 * i + 1] as number];
      return [{ rm, rd, rnv: rnv.subarray(i * valueDim, (i + 1) * valueDim) }];
    });
    if (ofRow.length === 0) continue;
    const to = av.subarray(i * valueDim, (i + 1) * valueDim);
    const scale = scales?.[kvHeadOf(shape, headOf(shape, row))] ?? null;
    const fault = merger.merge(ofRow, scale, to, states.subarray(2 * i, 2 * i + 2));
    if (isEmpty(mask.span(row))) to.fill(0);
    else if (fault !== null) overflowRow ??= row;
  }
  return { av, states, overflowRow };
}
