import { sequenceOf } from "../attention/mask.js";
import type { AttentionProblem, Operands } from "../attention/problem.js";
import { rowAt } from "../attention/rows.js";
import { inputNames } from "../attention/shape.js";
import { threefry2x32 } from "../numerics/threefry.js";
import { hasBaseline } from "./baseline.js";
import { type ComparedRow, type CompareRows, type ComparisonTask, compareHere } from "./compared-rows.js";
import { ErrorStatistics, type ErrorSummary, type RowError, rowError, type WorstElement } from "./error-statistics.js";
import { meantOperands } from "./meant-operands.js";
import type { AttentionInputs } from "./operands.js";

export interface ErrorWithWorst extends ErrorSummary {
  /** Null when no row was checked. */
  readonly worst: WorstElement | null;
}

/** The error of an emulated attention against float64 attention. */
export interface CheckResult extends ErrorWithWorst {
  readonly checkedRows: number;
  /** Against float64 attention on the inputs as given, before they were rounded to operands. */
  readonly withInputRounding: ErrorWithWorst;
  /**
   * What plain 3-pass attention in the same arithmetic gives on the same rows, null for one that it cannot have. Not
   * finite where its accumulators overflowed.
   */
  readonly baseline: ErrorSummary | null;
}

export interface CheckOptions {
  readonly onProgress?: (progress: { readonly rowsDone: number; readonly rows: number }) => void;
  readonly signal?: AbortSignal;
  /** Sees each row that is compared: what was emulated, and the exact one. */
  readonly onRow?: (row: number, got: Float32Array, exact: Float64Array) => void;
  /** Computes the rows to compare with; here and one by one by default. */
  readonly compare?: CompareRows;
  /** Sees the error of each row that is compared, and the baseline's, where there is one. */
  readonly onError?: (error: RowError, ofBaseline: RowError | null) => void;
  /** The output row that `av` begins with; 0 by default. */
  readonly firstRow?: number;
}

/** How many output rows exist: those before their batch's `qLens`. */
export function countRows(problem: AttentionProblem): number {
  const { batch, heads } = problem.shape;
  let rows = 0;
  for (let b = 0; b < batch; b += 1) rows += heads * sequenceOf(problem, b).queries;
  return rows;
}

/** The flat index of the n-th row that exists. */
function nthRow(problem: AttentionProblem, n: number): number {
  const { batch, heads } = problem.shape;
  for (let b = 0; b < batch; b += 1) {
    const { queries: length } = sequenceOf(problem, b);
    if (n < heads * length) return rowAt(problem.shape, { b, h: Math.floor(n / length), p: n % length });
    n -= heads * length;
  }
  throw new RangeError(`there is no row ${n}`);
}

/**
 * At most `count` of the rows that exist (all by default), ascending and the same every time: one drawn from each of
 * `count` equal stretches, so that all heads and positions are represented.
 * @example
 * ```ts
 * import { formatArithmetics, noMask, sampleRows } from "fusemax";
 *
 * const shape = { batch: 1, heads: 2, kvHeads: 2, queries: 100, keys: 100, headDim: 16, valueDim: 16 };
 * const rest = { mask: noMask, tile: { m0: 32, p0: 32 }, arithmetic: formatArithmetics.bf16, scale: 1 };
 * console.log(sampleRows({ shape, ...rest }, 4).length); // 4
 * ```
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
 * Compares AV [B,H,P,F] on the given rows with float64 attention on the operands and on the inputs as given, and does
 * the same for the baseline.
 * @example
 * ```ts
 * import { check, emulate, formatArithmetics, generateNormal, noMask, sampleRows } from "fusemax";
 *
 * const problem = {
 *   shape: { batch: 1, heads: 1, kvHeads: 1, queries: 8, keys: 64, headDim: 16, valueDim: 16 },
 *   mask: noMask,
 *   tile: { m0: 16, p0: 8 },
 *   arithmetic: formatArithmetics.bf16,
 *   scale: 0.25,
 * };
 * const inputs = { q: generateNormal(0, "q", 128), k: generateNormal(0, "k", 1024), v: generateNormal(0, "v", 1024) };
 * const { av, operands } = await emulate(problem, inputs);
 * const { maxAbs, checkedRows } = await check(problem, inputs, operands, av, sampleRows(problem));
 * console.log(checkedRows, maxAbs < 0.01); // 8 true
 * ```
 */
export async function check(
  problem: AttentionProblem,
  inputs: AttentionInputs,
  operands: Operands,
  av: Float32Array,
  rows: readonly number[],
  options: CheckOptions = {},
): Promise<CheckResult> {
  const exact = operands.scales === undefined && sameValues(inputs, operands);
  const total = exact ? rows.length : 2 * rows.length;
  const halfOf = (done: number) => (progress: { readonly rowsDone: number }) =>
    options.onProgress?.({ rowsDone: done + progress.rowsDone, rows: total });
  const onOperands = await checkOnOperands(problem, operands, av, rows, { ...options, onProgress: halfOf(0) });
  const withInputRounding = exact
    ? onOperands
    : await checkOnInputs(problem, inputs, av, rows, { ...options, onProgress: halfOf(rows.length) });
  return joinChecks(onOperands, withInputRounding);
}

/**
 * The half of a check that needs the operands: what was emulated and the baseline, against float64 attention on them.
 */
export interface OperandCheck extends ErrorWithWorst {
  readonly checkedRows: number;
  readonly baseline: ErrorSummary | null;
}

export const joinChecks = <Check extends ErrorWithWorst>(
  onOperands: Check,
  { maxAbs, rms, rmsRelative, worst }: ErrorWithWorst,
): Check & Pick<CheckResult, "withInputRounding"> => ({
  ...onOperands,
  withInputRounding: { maxAbs, rms, rmsRelative, worst },
});

/** The first half of `check`, for a caller that has no room for operands and inputs at once. */
export async function checkOnOperands(
  problem: AttentionProblem,
  operands: Operands,
  av: Float32Array,
  rows: readonly number[],
  options: CheckOptions = {},
): Promise<OperandCheck> {
  const error = new ErrorStatistics();
  const ofBaseline = new ErrorStatistics();
  const tensors = operands.scales === undefined ? { operands } : { operands, meant: meantOperands(problem, operands) };
  await eachRow({ problem, rows, tensors }, av, options, (row, got, { exact, baseline }) => {
    const own = rowError(row, got, exact);
    error.addRow(own);
    const other = baseline === null ? null : rowError(row, baseline, exact);
    if (other !== null) ofBaseline.addRow(other);
    options.onError?.(own, other);
  });
  return {
    ...error.summary(),
    worst: error.worst(problem.shape),
    checkedRows: rows.length,
    baseline: hasBaseline(problem.arithmetic) ? ofBaseline.summary() : null,
  };
}

/** The second half of `check`: against float64 attention on the inputs as given. */
export async function checkOnInputs(
  problem: AttentionProblem,
  inputs: AttentionInputs,
  av: Float32Array,
  rows: readonly number[],
  options: CheckOptions = {},
): Promise<ErrorWithWorst> {
  const error = new ErrorStatistics();
  await eachRow({ problem, rows, tensors: { inputs } }, av, options, (row, got, { exact }) => {
    const own = rowError(row, got, exact);
    error.addRow(own);
    options.onError?.(own, null);
  });
  return { ...error.summary(), worst: error.worst(problem.shape) };
}

/** Hands over each row of AV with what it is compared with. */
async function eachRow(
  task: ComparisonTask,
  av: Float32Array,
  { onProgress, onRow, signal, compare = compareHere, firstRow = 0 }: CheckOptions,
  take: (row: number, got: Float32Array, compared: ComparedRow) => void,
): Promise<void> {
  const { problem, rows } = task;
  const { valueDim } = problem.shape;
  let rowsDone = 0;
  signal?.throwIfAborted();
  for await (const compared of compare(task)) {
    const row = rows[rowsDone] as number;
    const got = av.subarray((row - firstRow) * valueDim, (row + 1 - firstRow) * valueDim);
    take(row, got, compared);
    onRow?.(row, got, compared.exact);
    rowsDone += 1;
    onProgress?.({ rowsDone, rows: rows.length });
    signal?.throwIfAborted();
  }
}

function sameValues(inputs: AttentionInputs, operands: Operands): boolean {
  return inputNames.every(name => {
    const [a, b] = [inputs[name], operands[name]];
    return a.length === b.length && a.every((x, i) => x === b[i]);
  });
}
