import { existsSync } from "node:fs";
import { Worker } from "node:worker_threads";
import { breather } from "../../emulator/breathe.js";
import { type SweepPoint, type SweepRequest, sweeper } from "../../model/sweep.js";
import { threadsThatFit } from "../../platform/address-space.js";
import { mostJobs } from "../../platform/jobs.js";
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
  const workers = Array.from({ length: threads }, () => new Worker(builtWorker, { workerData: names }));
  try {
    await Promise.all(workers.map(worker => drain(worker, todo, take)));
  } finally {
    await Promise.all(workers.map(worker => worker.terminate()));
  }
}

/** Gives a worker one range after the other until none is left. */
function drain(worker: Worker, todo: Iterator<PointRange>, take: (block: Block) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const next = (): void => {
      const range = todo.next();
      if (range.done === true) resolve();
      else worker.postMessage(range.value);
    };
    worker.on("error", reject);
    worker.on("exit", code => reject(new Error(`a thread of the sweep ended with ${code}`)));
    worker.on("message", (block: Block) => {
      try {
        take(block);
        next();
      } catch (error) {
        reject(error);
      }
    });
    next();
  });
}
