import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { breather } from "../../emulator/breathe.js";
import { type SweepPoint, type SweepRequest, sweeper } from "../../model/sweep.js";
import { threadsThatFit } from "../../platform/address-space.js";
import type { Block } from "./points.js";
import type { SweepNames } from "./request.js";

/** Points that a thread takes at a time: a few milliseconds' to a second's work. */
const blockPoints = 1000;
/** Below this, starting threads takes longer than the points do. */
const worthThreads = 4000;
/** What `npm run build` makes; a thread cannot run TypeScript. */
const builtWorker = new URL("../../../dist/cli/sweep/worker.js", import.meta.url);

/** Evaluates all points but those already finished, block by block, and hands each block on. */
export async function evaluateAll(
  request: SweepRequest,
  names: SweepNames,
  size: number,
  finished: readonly Block[],
  take: (block: Block) => void,
): Promise<void> {
  const todo = unfinished(size, finished);
  const points = todo.reduce((sum, { from, to }) => sum + to - from, 0);
  const threads = Math.min(availableParallelism(), todo.length, threadsThatFit());
  if (points < worthThreads || threads < 2 || !existsSync(builtWorker)) {
    const evaluateAt = sweeper(request);
    const breathe = breather();
    for (const { from, to } of todo) {
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
function drain(worker: Worker, todo: { from: number; to: number }[], take: (block: Block) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const next = (): void => {
      const range = todo.shift();
      if (range === undefined) resolve();
      else worker.postMessage(range);
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

/** The ranges that are not finished, cut into blocks. */
function unfinished(size: number, finished: readonly Block[]): { from: number; to: number }[] {
  const done = new Uint8Array(size);
  for (const { from, points } of finished) done.fill(1, from, from + points.length);
  const ranges: { from: number; to: number }[] = [];
  for (let from = 0; from < size; ) {
    if (done[from] === 1) {
      from++;
      continue;
    }
    let to = from;
    while (to < size && done[to] === 0 && to - from < blockPoints) to++;
    ranges.push({ from, to });
    from = to;
  }
  return ranges;
}
