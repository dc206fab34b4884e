import { isEmpty, type KeyRange } from "../attention/key-range.js";
import type { Mask } from "../attention/mask.js";
import type { AttentionProblem, Operands } from "../attention/problem.js";
import { kvHeadOfRow } from "../attention/rows.js";
import { isScaledAfterwards } from "../numerics/arithmetic.js";
import type { MergeFault, RunMerger, RunState } from "./merge-runs.js";

/** What a run gives for rows: RNV [rows, F], RM and RD [rows, 2]. */
export interface RunOutputs {
  readonly av: Float32Array;
  readonly states: Float32Array;
}

/** Consecutive rows on their way through the runs of split keys. */
export class MergedRows {
  private readonly runs: RunState[][];
  /** The first row that merging took out of range, and what of it. */
  fault: { readonly row: number; readonly what: MergeFault } | null = null;

  constructor(
    private readonly problem: AttentionProblem,
    private readonly operands: Operands,
    private readonly mask: Mask,
    private readonly merger: RunMerger,
    private readonly rows: { readonly start: number; readonly count: number },
  ) {
    this.runs = Array.from({ length: rows.count }, () => []);
  }

  /** Takes what a run gives, the runs in ascending order; `keysOf` a row: those of its batch's run, null where it has fewer. */
  add(keysOf: (row: number) => KeyRange | null, { av, states }: RunOutputs): void {
    const { valueDim } = this.problem.shape;
    for (const [i, ofRow] of this.runs.entries()) {
      const row = this.rows.start + i;
      const within = keysOf(row);
      if (within === null) continue;
      // The first run has a sink to give, whether it sees a key or not.
      const sunk = within.from === 0 && this.problem.sink === true;
      if (!sunk && isEmpty(this.mask.spanWithin(row, within))) continue;
      const [rm, rd] = [states[2 * i] as number, states[2 * i + 1] as number];
      ofRow.push({ rm, rd, rnv: av.subarray(i * valueDim, (i + 1) * valueDim) });
    }
  }

  /** AV [rows, F], and RM and RD where they are wanted. Gives the first row out of range, or null. */
  finish({ av, states }: { readonly av: Float32Array; readonly states?: Float32Array | undefined }): number | null {
    const { problem, operands, rows } = this;
    const { shape, arithmetic } = problem;
    const scales = isScaledAfterwards(arithmetic.operands.v) ? operands.scales?.v : undefined;
    for (const [i, ofRow] of this.runs.entries()) {
      const row = rows.start + i;
      const to = av.subarray(i * shape.valueDim, (i + 1) * shape.valueDim);
      if (ofRow.length > 0) {
        const scale = scales?.[kvHeadOfRow(shape, row)] ?? null;
        const what = this.merger.merge(ofRow, scale, to, states?.subarray(2 * i, 2 * i + 2));
        if (what !== null) this.fault ??= { row, what };
      }
      if (isEmpty(this.mask.span(row))) to.fill(0);
    }
    return this.fault?.row ?? null;
  }
}
