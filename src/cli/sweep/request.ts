import type { Accounting } from "../../model/accounting.js";
import type { Axis, SweepRequest } from "../../model/sweep.js";
import { loadDesign, loadWorkload, type SpecSource } from "../../spec/load.js";

/** A sweep by names, as it is handed to threads. */
export interface SweepNames {
  readonly designs: readonly string[];
  readonly workloads: readonly string[];
  readonly lengths: readonly number[];
  readonly batch: number;
  readonly axes: readonly Axis[];
  readonly accounting: Accounting;
}

/** Reads the specs that a sweep names. Throws SpecError. */
export function sweepRequest(source: SpecSource, names: SweepNames): SweepRequest {
  return {
    ...names,
    designs: names.designs.map(name => loadDesign(source, name, "--design")),
    workloads: names.workloads.map(name => loadWorkload(source, name, "--model")),
  };
}
