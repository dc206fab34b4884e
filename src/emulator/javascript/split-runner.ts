import { maskOf, sequenceOf } from "../../attention/mask.js";
import type { AttentionProblem, Operands } from "../../attention/problem.js";
import { batchOf, type RowRange } from "../../attention/rows.js";
import { isSplit, keyRuns } from "../kv-runs.js";
import { type MergeFault, RunMerger } from "../merge-runs.js";
import { MergedRows } from "../merged-rows.js";
import type { Fault, RowRunner, RunOptions } from "./row-runner.js";

/** What computes rows of one head. */
export type Rows = Pick<RowRunner, "run" | "rowsAtOnce" | "saturated">;

/** The runs of split keys one after the other, merged row by row. */
class SplitRunner implements Rows {
  private readonly merger: RunMerger;

  constructor(
    private readonly problem: AttentionProblem,
    private readonly operands: Operands,
    private readonly runner: RowRunner,
  ) {
    this.merger = new RunMerger(problem.arithmetic, problem.scale);
  }

  get rowsAtOnce(): number {
    return this.runner.rowsAtOnce;
  }

  get saturated(): number {
    return this.runner.saturated;
  }

  run(rows: RowRange, av: Float32Array, { stopped, states }: RunOptions = {}): Fault | null {
    const { problem, runner } = this;
    const count = rows.end - rows.start;
    const merged = new MergedRows(problem, this.operands, maskOf(problem), this.merger, { start: rows.start, count });
    let fault: Fault | null = null;
    for (const within of keyRuns(problem, sequenceOf(problem, batchOf(problem.shape, rows.start)).keys)) {
      const own = { av: new Float32Array(count * problem.shape.valueDim), states: new Float32Array(2 * count) };
      const options = { within, sunk: within.from > 0, states: own.states };
      fault = firstOf(fault, runner.run(rows, own.av, { ...options, ...(stopped === undefined ? {} : { stopped }) }));
      merged.add(() => within, own);
    }
    merged.finish({ av, states });
    return firstOf(fault, merged.fault === null ? null : faultOf(merged.fault.row, merged.fault.what));
  }
}

/** By row, then by run. */
const firstOf = (a: Fault | null, b: Fault | null): Fault | null =>
  a === null || (b !== null && b.row < a.row) ? b : a;

const faultOf = (row: number, { tensor, zero, index }: MergeFault): Fault => ({
  row,
  m1: null,
  index,
  place: { tensor, what: zero ? "zero" : "value", unless: null, over: tensor === "RD" ? null : "F", order: 0 },
});

/** A runner that merges the runs of a problem's keys where they are split. */
export const mergingRuns = (problem: AttentionProblem, operands: Operands, runner: RowRunner): Rows =>
  isSplit(problem) ? new SplitRunner(problem, operands, runner) : runner;
