import type { Design } from "../spec/design.js";
import type { Workload } from "../spec/workload.js";
import { type Accounting, published } from "./accounting.js";
import { ofArray } from "./array-shares.js";
import { compileDesign } from "./compile.js";
import { type Evaluation, evaluate } from "./evaluate.js";
import { sizesOf } from "./sizes.js";

/** One array size of the area-latency study. */
export interface ParetoPoint {
  readonly model: string;
  /** PEs along each side of the 2D array. */
  readonly side: number;
  readonly bufferScale: number;
  readonly evaluation: Evaluation;
}

export const paretoSides: readonly number[] = [16, 32, 64, 128, 256, 512];
export const paretoLength = 2 ** 18;

/** How often the buffer may double before the study gives up on hiding DRAM. */
const mostDoublings = 20;

/**
 * FuseMax at several array sizes and 256K tokens (section VI, Fig. 12). Each buffer is doubled until DRAM traffic takes
 * no longer than the 1D array.
 */
export function paretoStudy(
  scaled: Design,
  workloads: readonly Workload[],
  accounting: Accounting = published,
): readonly ParetoPoint[] {
  const design = compileDesign(scaled, {
    corrections: accounting.corrections,
    patches: [
      { path: "architecture.parameters.D", value: "@0" },
      { path: "architecture.parameters.bufferScale", value: "@1" },
    ],
    variables: 2,
  });
  return workloads.flatMap(workload =>
    paretoSides.map(side => {
      const at = (bufferScale: number): ParetoPoint => ({
        model: workload.name,
        side,
        bufferScale,
        evaluation: evaluate(design, sizesOf(workload, paretoLength), accounting, [side, bufferScale]),
      });
      let point = at(1);
      for (let k = 1; k <= mostDoublings && memoryBound(point.evaluation); k++) point = at(2 ** k);
      return point;
    }),
  );
}

const memoryBound = ({ phases }: Evaluation): boolean =>
  phases.some(({ memorySeconds, busySeconds }) => memorySeconds > ofArray(busySeconds, "1d"));
