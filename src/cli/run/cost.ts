import type { AttentionProblem } from "../../attention/problem.js";
import { specFiles } from "../../io/spec-files.js";
import { costOfRun, type RunCost } from "../../model/cost.js";
import { loadDesign } from "../../spec/load.js";

/** What the attention costs on the FuseMax design, on an array of the run's size. */
export function costOfProblem({ shape, tile, mask }: AttentionProblem): RunCost {
  return costOfRun(loadDesign(specFiles, "fusemax"), shape, tile, mask);
}
