import type { Accounting } from "../../model/accounting.js";
import type { Grid, Measure, SweepRequest } from "../../model/sweep.js";
import type { Phase } from "../../spec/workload.js";

/** All that a table of a sweep says beside the numbers of its points. */
export interface SweepTable extends Grid {
  /** Names. */
  readonly designs: readonly string[];
  readonly workloads: readonly SweptWorkload[];
  readonly phase: Phase;
  /** Queries at once in decode. */
  readonly decodeQueries: number;
  readonly accounting: Accounting;
  /** Whether nobody named the accounting. */
  readonly byDefault: boolean;
  /** What the Pareto fronts are over. */
  readonly objectives: readonly Measure[];
}

export interface SweptWorkload {
  readonly name: string;
  readonly batch: number;
  /** The kind of the model's layers, where it has several; else "". */
  readonly layers: string;
}

export function tableOf(
  request: SweepRequest,
  { byDefault, objectives }: Pick<SweepTable, "byDefault" | "objectives">,
): SweepTable {
  const { designs, workloads, lengths, phase, decodeQueries, axes, accounting } = request;
  return {
    designs: designs.map(({ name }) => name),
    workloads: workloads.map(({ name, batch, kinds: [kind] }) => ({ name, batch, layers: kind?.name ?? "" })),
    ...{ lengths, phase, decodeQueries, axes, accounting, byDefault, objectives },
  };
}
