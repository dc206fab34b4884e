import type { ScoreChoice } from "../../attention/score-terms.js";
import type { Accounting } from "../../model/accounting.js";
import type { Axis, SweepRequest } from "../../model/sweep.js";
import { loadWorkload, type NamedSpec, type SpecSource } from "../../spec/load.js";
import type { Phase } from "../../spec/workload.js";
import { loadDesignIn } from "../model/designs.js";

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
  /** What is charged of a soft-cap and a bias. */
  readonly scores?: ScoreChoice;
  /** In place of the designs' own. */
  readonly arithmetic?: NamedSpec | undefined;
}

/** Reads the specs that a sweep names. Throws SpecError. */
export const sweepRequest = (source: SpecSource, { accounting, ...names }: SweepNames): SweepRequest => ({
  ...readSweep(source, names),
  accounting,
});

/** The same before it is known how to count, which depends on the designs. Throws SpecError. */
export function readSweep(source: SpecSource, names: Omit<SweepNames, "accounting">): Omit<SweepRequest, "accounting"> {
  const { batch, arithmetic, ...rest } = names;
  return {
    ...rest,
    designs: names.designs.map(name => loadDesignIn(source, name, { arithmetic })),
    workloads: names.workloads.flatMap(name => {
      const workload = loadWorkload(source, name, "--model");
      return workload.kinds.map(kind => ({ ...workload, kinds: [kind], batch: batch ?? workload.batch }));
    }),
  };
}
