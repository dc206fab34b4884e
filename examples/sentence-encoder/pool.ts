import { Worker } from "node:worker_threads";
import { FusemaxError } from "fusemax";
import type { Arithmetic, Run } from "./run.js";
import type { WorkerMessage } from "./worker.js";

/**
 * Runs every arithmetic over the tokens, `threads` at a time, each in a worker thread with its own copy of the model.
 * The results come as they finish. The first error ends all workers and is thrown.
 */
export async function runAll(
  ids: readonly number[],
  arithmetics: readonly Arithmetic[],
  threads: number,
  note: (line: string) => void,
): Promise<Run[]> {
  const waiting = [...arithmetics];
  const runs: Run[] = [];
  const workers = Array.from({ length: Math.min(threads, arithmetics.length) }, () => startWorker(ids));
  try {
    await Promise.all(
      workers.map(async worker => {
        for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
          runs.push(await runOn(worker, next, note));
        }
      }),
    );
  } finally {
    await Promise.all(workers.map(worker => worker.terminate()));
  }
  return runs;
}

const startWorker = (ids: readonly number[]): Worker =>
  new Worker(new URL("worker.js", import.meta.url), { workerData: ids });

function runOn(worker: Worker, arithmetic: Arithmetic, note: (line: string) => void): Promise<Run> {
  return new Promise((resolve, reject) => {
    const settle = (outcome: () => void): void => {
      worker.off("message", listen);
      worker.off("error", fail);
      outcome();
    };
    const fail = (error: Error): void => settle(() => reject(error));
    const listen = (message: WorkerMessage): void => {
      if (message.kind === "note") note(message.line);
      else if (message.kind === "run") settle(() => resolve(message.run));
      else fail(new FusemaxError(message.complaint));
    };
    worker.on("message", listen);
    worker.on("error", fail);
    worker.postMessage(arithmetic);
  });
}
