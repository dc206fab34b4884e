import type { CompiledDesign } from "../compile.js";
import type { Sizes } from "../sizes.js";
import { simulateDesign } from "./of-design.js";

/** What the schedule really takes where nothing waits for memory; for the `corrected` accounting. */
export interface ScheduleCorrection {
  /** From the first operand on a link to the last AV, fill, drain, skew and dependencies included. */
  readonly computeCycles: number;
  /** The share of those cycles in which each array issues an operation. */
  readonly busyShare: Readonly<Record<"2d" | "1d", number>>;
}

/**
 * The computation's cycles by simulation, in place of the binding's formula, which leaves out fill, drain, skew and the
 * waits of one array for the other. Null for a design without a schedule (Unfused, FLAT, +Cascade).
 * @throws SpecError as `simulateDesign`
 */
export function scheduleCorrection(compiled: CompiledDesign, sizes: Sizes): ScheduleCorrection | null {
  if (compiled.design.schedule === undefined || compiled.architecture.timing === undefined) return null;
  const { cycles, arrays } = simulateDesign(compiled, sizes, { memory: "ideal" });
  return {
    computeCycles: cycles,
    busyShare: { "2d": arrays["2d"].busyCycles / cycles, "1d": arrays["1d"].busyCycles / cycles },
  };
}
