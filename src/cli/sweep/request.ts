import type { Accounting } from "../../model/accounting.js";
import type { Axis, SweepRequest } from "../../model/sweep.js";
import { loadDesign, loadWorkload, type SpecSource } from "../../spec/load.js";
import type { Phase } from "../../spec/workload.js";

/** A sweep by names, as it is handed to threads. */
export interface SweepNames {
  readonly designs: readonly string[];
  readonly workloads: readonly string[];
  readonly lengths: readonly number[];
  /** Undefined: each workload's own. */
  readonly batch: number | undefined;
  readonly phase: Phase;
  readonly decodeQueries: number;
  readonly axes: readonly Axis[];
  readonly accounting: Accounting;
}

/** Reads the specs that a sweep names. Throws SpecError. */
export function sweepRequest(source: SpecSource, names: SweepNames): SweepRequest {
  const { batch, ...rest } = names;
  return {
    ...rest,
    designs: names.designs.map(name => loadDesign(source, name, "--design")),
    workloads: names.workloads.map(name => {
      const workload = loadWorkload(source, name, "--model");
      return { ...workload, batch: batch ?? workload.batch };
    }),
  };
}
