import { referenceRow } from "../reference/attention.js";
import { Baseline } from "./baseline.js";
import { breather } from "./breathe.js";
import { ErrorStatistics, type ErrorSummary, type WorstElement } from "./error-statistics.js";
import type { AttentionInputs } from "./operands.js";
import type { AttentionProblem, Operands } from "./problem.js";
import { threefry2x32 } from "./threefry.js";
import { queriesOf, visibleKeys } from "./visible.js";

interface ErrorWithWorst extends ErrorSummary {
  /** Null when no row was checked. */
  readonly worst: WorstElement | null;
}

/** The error of an emulated attention against float64 attention. */
export interface CheckResult extends ErrorWithWorst {
  readonly checkedRows: number;
  /** Against float64 attention on the inputs as given, before they were rounded to operands. */
  readonly withInputRounding: ErrorWithWorst;
  /** What plain 3-pass attention in the same formats gives on the same rows. Not finite where its accumulators overflowed. */
  readonly baseline: ErrorSummary;
}

export interface CheckOptions {
  readonly onProgress?: (progress: { readonly rowsDone: number; readonly rows: number }) => void;
  readonly signal?: AbortSignal;
}

/** How many output rows exist: those before their batch's `qLens`. */
export function countRows(problem: AttentionProblem): number {
  const { batch, heads } = problem.shape;
  let rows = 0;
  for (let b = 0; b < batch; b += 1) rows += heads * queriesOf(problem, b);
  return rows;
}

/** The flat index of the n-th row that exists. */
function nthRow(problem: AttentionProblem, n: number): number {
  const { batch, heads, queries } = problem.shape;
  for (let b = 0; b < batch; b += 1) {
    const length = queriesOf(problem, b);
    if (n < heads * length) return (b * heads + Math.floor(n / length)) * queries + (n % length);
    n -= heads * length;
  }
  throw new RangeError(`there is no row ${n}`);
}

/**
 * At most `count` of the rows that exist (all by default), ascending and the same every time: one drawn from each of `count` equal
 * stretches, so that all heads and positions are represented.
 */
export function sampleRows(problem: AttentionProblem, count = Number.POSITIVE_INFINITY): number[] {
  const rows = countRows(problem);
  if (count >= rows) return Array.from({ length: rows }, (_, n) => nthRow(problem, n));
  const word = new Uint32Array(2);
  return Array.from({ length: count }, (_, i) => {
    threefry2x32(0, 0, i, 0, word);
    const from = Math.floor((i * rows) / count);
    const to = Math.floor(((i + 1) * rows) / count);
    return nthRow(problem, from + ((word[0] as number) % (to - from)));
  });
}

/**
 * Compares AV [B,H,P,F] on the given rows with float64 attention on the operands and on the inputs as given, and does the same for the
 * baseline. Lets timers and signals through between rows.
 */
export async function check(
  problem: AttentionProblem,
  inputs: AttentionInputs,
  operands: Operands,
  av: Float32Array,
  rows: readonly number[],
  options: CheckOptions = {},
): Promise<CheckResult> {
  const { shape, scale } = problem;
  const { heads, queries, valueDim } = shape;
  const error = new ErrorStatistics();
  const withInputRounding = new ErrorStatistics();
  const ofBaseline = new ErrorStatistics();
  const baseline = new Baseline(problem, operands);
  const breathe = breather();
  const exact = sameValues(inputs, operands);
  for (const [i, row] of rows.entries()) {
    options.signal?.throwIfAborted();
    const seen = visibleKeys(problem, Math.floor(row / (heads * queries)), row % queries);
    const got = av.subarray(row * valueDim, (row + 1) * valueDim);
    const onOperands = referenceRow(operands, shape, scale, row, seen);
    const onInputs = exact ? onOperands : referenceRow(inputs, shape, scale, row, seen);
    error.add(row, got, onOperands);
    withInputRounding.add(row, got, onInputs);
    ofBaseline.add(row, baseline.row(row), onOperands);
    options.onProgress?.({ rowsDone: i + 1, rows: rows.length });
    await breathe();
  }
  return {
    ...error.summary(),
    checkedRows: rows.length,
    worst: error.worst(shape),
    withInputRounding: { ...withInputRounding.summary(), worst: withInputRounding.worst(shape) },
    baseline: ofBaseline.summary(),
  };
}

function sameValues(inputs: AttentionInputs, operands: Operands): boolean {
  return (["q", "k", "v"] as const).every(name => {
    const [a, b] = [inputs[name], operands[name]];
    return a.length === b.length && a.every((x, i) => x === b[i]);
  });
}
