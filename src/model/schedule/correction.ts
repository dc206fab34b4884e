import type { CompiledDesign } from "../compile.js";
import { findLags, keyOf } from "./lags.js";
import { type ScheduledSizes, scheduleOfDesign } from "./of-design.js";
import { simulateSchedule } from "./simulate.js";

/** Results by schedule, machine and loop nest: sweeps and charts ask for the same ones again. */
const known = new Map<string, number>();
const mostKnown = 10_000;

/**
 * The computation's cycles by simulation with ideal memory, masks and costs of operations included: the binding's formula
 * leaves out fill, drain, skew and the waits of one array for another. Null for a design that names no schedule (Unfused,
 * FLAT, +Cascade): its binding alone says what overlaps.
 * @param values the design's symbols at these sizes
 * @throws SpecError where the schedule cannot run on the machine
 */
export function scheduledCycles(compiled: CompiledDesign, sizes: ScheduledSizes, values: Float64Array): number | null {
  if (compiled.design.schedule === undefined) return null;
  const { spec, arrays, work } = scheduleOfDesign(compiled, sizes, values);
  const key = keyOf([spec, arrays, work]);
  const before = known.get(key);
  if (before !== undefined) return before;
  const { cycles } = simulateSchedule(findLags(spec, arrays, work), arrays, work);
  if (known.size >= mostKnown) known.clear();
  known.set(key, cycles);
  return cycles;
}
