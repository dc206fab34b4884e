import type { CompiledDesign } from "../compile.js";
import { valuesOf } from "../values.js";
import { findLags } from "./lags.js";
import { type ScheduledSizes, scheduleOfDesign } from "./of-design.js";
import type { ScheduleResult } from "./result.js";
import { serialSchedule } from "./serial.js";
import { type SimulationOptions, simulateSchedule } from "./simulate.js";
import { tileNest } from "./tile-nest.js";

export interface DesignSimulationOptions extends Omit<SimulationOptions, "arrivals" | "dram"> {
  /** `ideal`: operands are always there, as the published evaluation has it; `dram`: from the design's DRAM channel. */
  readonly memory?: "ideal" | "dram";
  /** The corrections of the accounting, where a design's mapping is searched for. */
  readonly corrections?: readonly string[];
}

/**
 * Finds the schedule's lags and simulates it. A design that names no schedule works on one tile at a time. @throws SpecError
 * @example
 * ```ts
 * import { accountingOf, compileDesign, loadDesign, loadWorkload, simulateDesign, sizesOf, specFiles } from "fusemax/node";
 *
 * const accounting = accountingOf("corrected", undefined);
 * const design = compileDesign(loadDesign(specFiles, "fusemax"), { corrections: accounting.corrections });
 * const sizes = sizesOf(loadWorkload(specFiles, "bert"), 4096);
 * console.log(simulateDesign(design, { sizes }).cycles); // 30278811
 * ```
 */
export function simulateDesign(
  compiled: CompiledDesign,
  sizes: ScheduledSizes,
  options: DesignSimulationOptions = {},
): ScheduleResult {
  const { memory = "dram", corrections = [], ...rest } = options;
  if (
    compiled.design.schedule === undefined &&
    typeof tileNest(compiled, valuesOf(compiled, sizes.sizes)) === "string"
  ) {
    return serialSchedule(compiled, sizes, corrections, memory);
  }
  const design = scheduleOfDesign(compiled, sizes);
  const { spec, arrays, work } = design;
  return simulateSchedule(findLags(spec, arrays, work), arrays, work, {
    ...rest,
    ...(memory === "dram" ? { dram: design.dram } : {}),
  });
}
