import type { CompiledDesign } from "../compile.js";
import type { Sizes } from "../sizes.js";
import { findLags } from "./lags.js";
import { scheduleOfDesign } from "./of-design.js";
import { simulateSchedule } from "./simulate.js";

/** Results by schedule, machine and loop nest: sweeps and charts ask for the same ones again. */
const known = new Map<string, number>();
const mostKnown = 10_000;

/**
 * The computation's cycles by simulation with ideal memory, in place of the binding's formula, which leaves out fill,
 * drain, skew and the waits of one array for the other. Null for a design without a schedule (Unfused, FLAT, +Cascade).
 * @param values the design's symbols at these sizes, if they are computed already
 * @throws SpecError where the schedule cannot run on the machine
 */
export function scheduledCycles(compiled: CompiledDesign, sizes: Sizes, values?: Float64Array): number | null {
  if (compiled.design.schedule === undefined || compiled.architecture.timing === undefined) return null;
  const { spec, machine, work } = scheduleOfDesign(compiled, sizes, values);
  const key = JSON.stringify([spec, machine, work], (_, value) => (value === Infinity ? "unlimited" : value));
  const before = known.get(key);
  if (before !== undefined) return before;
  const { cycles } = simulateSchedule(findLags(spec, machine, work), machine, work);
  if (known.size >= mostKnown) known.clear();
  known.set(key, cycles);
  return cycles;
}
