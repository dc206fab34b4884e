import { kvHeadOf } from "../../attention/heads.js";
import { isEmpty } from "../../attention/key-range.js";
import { maskOf, sequenceOf } from "../../attention/mask.js";
import type { AttentionProblem, Operands } from "../../attention/problem.js";
import { batchOf, headOf, type RowRange } from "../../attention/rows.js";
import { isScaledAfterwards } from "../../numerics/arithmetic.js";
import { isSplit, keyRuns } from "../kv-runs.js";
import { type MergeFault, RunMerger, type RunState } from "../merge-runs.js";
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
    const { problem, operands, runner, merger } = this;
    const { valueDim } = problem.shape;
    const mask = maskOf(problem);
    const count = rows.end - rows.start;
    const runs: RunState[][] = Array.from({ length: count }, () => []);
    let fault: Fault | null = null;
    for (const within of keyRuns(problem, sequenceOf(problem, batchOf(problem.shape, rows.start)).keys)) {
      const rnv = new Float32Array(count * valueDim);
      const own = new Float32Array(2 * count);
      const sunk = within.from > 0;
      fault ??= runner.run(rows, rnv, { within, sunk, states: own, ...(stopped === undefined ? {} : { stopped }) });
      for (const [i, ofRow] of runs.entries()) {
        // The first run has a sink to give, whether it sees a key or not.
        if ((sunk || problem.sink !== true) && isEmpty(mask.spanWithin(rows.start + i, within))) continue;
        const [rm, rd] = [own[2 * i] as number, own[2 * i + 1] as number];
        ofRow.push({ rm, rd, rnv: rnv.subarray(i * valueDim, (i + 1) * valueDim) });
      }
    }
    const { v } = problem.arithmetic.operands;
    const scales = isScaledAfterwards(v) ? operands.scales?.v : undefined;
    for (const [i, ofRow] of runs.entries()) {
      const row = rows.start + i;
      const to = av.subarray(i * valueDim, (i + 1) * valueDim);
      if (ofRow.length > 0) {
        const scale = scales?.[kvHeadOf(problem.shape, headOf(problem.shape, row))] ?? null;
        const merged = merger.merge(ofRow, scale, to, states?.subarray(2 * i, 2 * i + 2));
        if (merged !== null) fault ??= faultOf(row, merged);
      }
      if (isEmpty(mask.span(row))) to.fill(0);
    }
    return fault;
  }
}

const faultOf = (row: number, { tensor, zero, index }: MergeFault): Fault => ({
  row,
  m1: null,
  index,
  place: { tensor, what: zero ? "zero" : "value", unless: null, over: tensor === "RD" ? null : "F", order: 0 },
});

/** A runner that merges the runs of a problem's keys where they are split. */
export const mergingRuns = (problem: AttentionProblem, operands: Operands, runner: RowRunner): Rows =>
  isSplit(problem) ? new SplitRunner(problem, operands, runner) : runner;
