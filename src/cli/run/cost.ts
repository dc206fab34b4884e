import { costOfRun, type RunCost } from "../../model/cost.js";
import type { RunPlan } from "./plan.js";

/** What the attention costs on the run's design, on an array of the run's size. */
export function costOfPlan({ design: { design }, problem }: RunPlan): RunCost {
  return costOfRun(design, problem.shape, problem.tile, problem.mask);
}
