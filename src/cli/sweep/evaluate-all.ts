import { existsSync } from "node:fs";
import { breather } from "../../emulator/breathe.js";
import { type SweepPoint, type SweepRequest, sweeper } from "../../model/sweep.js";
import { threadsThatFit } from "../../platform/address-space.js";
import { mostJobs } from "../../platform/jobs.js";
import { ThreadPool } from "../../platform/thread-pool.js";
import type { Block, PointRange } from "./points.js";
import type { SweepNames } from "./request.js";

/** Points that a thread takes at a time: a few milliseconds' to a second's work. */
export const blockPoints = 1000;
/** Below this, starting threads takes longer than the points do. */
const worthThreads = 4000;
/** What `npm run build` makes; a thread cannot run TypeScript. */
const builtWorker = new URL("../../../dist/cli/sweep/worker.js", import.meta.url);

/**
 * Evaluates the points of some ranges, at most `blockPoints` at a time, and hands each block on.
 * @param todo taken from as threads are free
 * @param points how many they are
 */
export async function evaluateAll(
  request: SweepRequest,
  names: SweepNames,
  todo: Iterator<PointRange>,
  points: number,
  take: (block: Block) => void,
): Promise<void> {
  const threads = Math.min(mostJobs(), Math.ceil(points / blockPoints), threadsThatFit());
  if (points < worthThreads || threads < 2 || !existsSync(builtWorker)) {
    const evaluateAt = sweeper(request);
    const breathe = breather();
    for (let range = todo.next(); range.done !== true; range = todo.next()) {
      const { from, to } = range.value;
      const points: SweepPoint[] = [];
      for (let at = from; at < to; at += 1) {
        points.push(evaluateAt(at));
        await breathe();
      }
      take({ from, points });
    }
    return;
  }
  const pool = new ThreadPool<PointRange, Block>(builtWorker, names, threads, "sweep");
  try {
    await pool.drain(todo, take);
  } finally {
    await pool.end();
  }
}
