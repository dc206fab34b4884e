import { variantOf } from "../action-counts.js";
import type { CompiledDesign } from "../compile.js";
import { symbolValues } from "../sizes.js";
import { findLags, keyOf } from "./lags.js";
import { timingNumbers } from "./machine.js";
import { type ScheduledSizes, scheduleOfDesign } from "./of-design.js";
import { simulateSchedule } from "./simulate.js";

/** Results by schedule, machine and loop nest: sweeps and charts ask for the same ones again. */
const known = new Map<string, number>();
/** The same by design and by the numbers that a schedule takes from it: to form them costs less than to derive it. */
const byNumbers = new WeakMap<CompiledDesign, Map<string, number>>();
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
  // Where it is recorded what an evaluation reads, everything is read.
  if (compiled.reads !== undefined) return simulatedCycles(compiled, sizes, values);
  const own = byNumbers.get(compiled) ?? new Map<string, number>();
  byNumbers.set(compiled, own);
  const key = numbersOf(compiled, sizes, values).join();
  const before = own.get(key);
  if (before !== undefined) return before;
  const cycles = simulatedCycles(compiled, sizes, values);
  if (own.size >= mostKnown) own.clear();
  own.set(key, cycles);
  return cycles;
}

function simulatedCycles(compiled: CompiledDesign, sizes: ScheduledSizes, values: Float64Array): number {
  const { spec, arrays, work } = scheduleOfDesign(compiled, sizes, values);
  const key = keyOf([spec, arrays, work]);
  const before = known.get(key);
  if (before !== undefined) return before;
  const { cycles } = simulateSchedule(findLags(spec, arrays, work), arrays, work);
  if (known.size >= mostKnown) known.clear();
  known.set(key, cycles);
  return cycles;
}

/** All numbers from which a schedule's dataflows, arrays and loop nest are derived. */
function numbersOf(compiled: CompiledDesign, { sizes, mask }: ScheduledSizes, values: Float64Array): readonly number[] {
  const numbers = [...symbolValues(sizes), ...timingNumbers(compiled, values)];
  for (const entry of compiled.einsums) {
    const einsum = variantOf(entry, values);
    numbers.push(entry.variants.indexOf(einsum), einsum.cycles?.(values) ?? -1);
    for (const { size, bounds } of einsum.ranks) {
      numbers.push(values[size] as number);
      for (const bound of bounds) numbers.push(values[bound] as number);
    }
    for (const { perPoint } of einsum.operations) numbers.push(perPoint(values));
    for (const levels of einsum.keep) for (const { condition } of levels) numbers.push(condition?.(values) ?? 1);
  }
  for (const costs of compiled.arrays.values()) for (const cost of costs.values()) numbers.push(cost(values));
  for (const { fields } of compiled.levels.values()) {
    numbers.push(fields.get("size")?.(values) ?? 0, fields.get("depth")?.(values) ?? 0);
  }
  if (mask === undefined) return numbers;
  const { left, right, origin = Number.NaN, prefix = -1, documents = [] } = mask;
  numbers.push(left, right, origin, prefix, documents.length, ...documents);
  for (const { count, queries, keys, leftPad = 0, bits } of mask.sequences) {
    numbers.push(count, queries, keys, leftPad, bits?.id ?? 0);
  }
  return numbers;
}
