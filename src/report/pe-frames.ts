import { noMask } from "../attention/mask.js";
import type { AttentionProblem } from "../attention/problem.js";
import { type Window, windowOf } from "../attention/window.js";
import { generateNormal } from "../emulator/generate.js";
import { roundOperands } from "../emulator/operands.js";
import { runArray } from "../fusemax-array/array.js";
import { type ArrayFrame, frameOf } from "../fusemax-array/frames.js";
import type { CompiledDesign } from "../model/compile.js";

import { findLags } from "../model/schedule/lags.js";
import { scheduleOfDesign } from "../model/schedule/of-design.js";
import type { Sizes } from "../model/sizes.js";
import { formatArithmetics } from "../numerics/format-of.js";
import type { Schedule } from "../spec/schedule/schedule.js";
import { fusemaxMachine } from "./fusemax-machine.js";

/** What the PEs do over some cycles, and the schedule that they follow. */
export interface PeFrames {
  readonly frames: readonly ArrayFrame[];
  readonly schedule: Schedule;
  readonly rows: number;
  readonly columns: number;
}

/** The rows and columns of the array that `peFrames` runs. Throws SpecError for a design that is not FuseMax's. */
export function peArray(compiled: CompiledDesign, sizes: Sizes): { readonly rows: number; readonly columns: number } {
  const { arrays, work } = scheduleOfDesign(compiled, { sizes: { ...sizes, B: 1, H: 1, group: 1 } });
  return fusemaxMachine(compiled, arrays, work);
}

/**
 * Runs one head of an attention with generated values on the register-level array, memory ideal, and keeps cycles `first` to
 * `last`, those that there are. Throws SpecError for arrays over 32 x 32 and for schedules that run into a conflict.
 */
export function peFrames(
  compiled: CompiledDesign,
  sizes: Sizes,
  { first, last }: { readonly first: number; readonly last: number },
  window: Window = noMask,
): PeFrames {
  const one = { ...sizes, B: 1, H: 1, group: 1 };
  const { spec, arrays, work } = scheduleOfDesign(compiled, { sizes: one });
  const machine = fusemaxMachine(compiled, arrays, work);
  const { rows, columns } = machine;
  const problem: AttentionProblem = {
    shape: {
      batch: 1,
      heads: 1,
      kvHeads: 1,
      queries: sizes.queries,
      keys: sizes.M,
      headDim: sizes.E,
      valueDim: sizes.F,
    },
    mask: { ...noMask, ...windowOf(window) },
    tile: { m0: rows, p0: columns },
    arithmetic: formatArithmetics.bf16,
    scale: 1 / Math.sqrt(sizes.E),
  };
  const inputs = {
    q: generateNormal(0, "q", sizes.queries * sizes.E),
    k: generateNormal(0, "k", sizes.M * sizes.E),
    v: generateNormal(0, "v", sizes.M * sizes.F),
  };
  const schedule = findLags(spec, arrays, work);
  const frames: ArrayFrame[] = [];
  runArray(schedule, machine, work.blockTiles, problem, roundOperands(inputs, problem.shape, problem.arithmetic), {
    untilCycle: last + 1,
    onCycle: view => {
      if (view.cycle >= first) frames.push(frameOf(view));
    },
  });
  return { frames, schedule, rows, columns };
}
