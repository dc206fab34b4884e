import { costOfRun, type RunCost } from "../../model/cost.js";
import { accountingOfCommand } from "../model/options.js";
import { publishedArray, type RunOptions } from "./options.js";
import type { RunPlan } from "./plan.js";

/**
 * What the attention costs on the run's design, on an array of the run's size, in the run's arithmetic. An array of another
 * size is a setting, and so is another cascade: that design is not the paper's as it ships.
 */
export function costOfPlan({ design: { design }, problem, valuesInKeys }: RunPlan, options: RunOptions): RunCost {
  const { shape, mask } = problem;
  const { array = publishedArray } = options;
  const asShipped = options.cascade === undefined && array.m0 === publishedArray.m0 && array.p0 === publishedArray.p0;
  const { accounting } = accountingOfCommand(options, [design], asShipped ? 0 : 1);
  return costOfRun(design, { ...shape, valuesInKeys }, options.array, mask, { accounting });
}
