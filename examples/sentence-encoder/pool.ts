import { Worker } from "node:worker_threads";
import type { Arithmetic, Emulate, Run } from "./run.js";
import type { FromWorker, ToWorker } from "./worker.js";

export interface PoolOptions {
  /** How many runs go on at a time, each in a worker thread with its own copy of the model. */
  readonly threads: number;
  /** Emulates attention in this thread, where the engine is. */
  readonly emulate: Emulate;
  readonly note: (line: string) => void;
}

/**
 * Runs every arithmetic over the tokens, in the order given as threads come free. The results come as they finish. The
 * first error ends all workers and is thrown.
 */
export async function runAll(
  ids: readonly number[],
  arithmetics: readonly Arithmetic[],
  options: PoolOptions,
): Promise<Run[]> {
  const waiting = [...arithmetics];
  const runs: Run[] = [];
  const workers = Array.from({ length: Math.min(options.threads, arithmetics.length) }, () => startWorker(ids));
  try {
    await Promise.all(
      workers.map(async worker => {
        for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
          runs.push(await runOn(worker, next, options));
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

function runOn(worker: Worker, arithmetic: Arithmetic, { emulate, note }: PoolOptions): Promise<Run> {
  const tell = (message: ToWorker): void => worker.postMessage(message);
  return new Promise<Run>((resolve, reject) => {
    worker.removeAllListeners();
    worker.on("error", reject);
    worker.on("message", (message: FromWorker) => {
      if (message.kind === "note") note(message.line);
      else if (message.kind === "done") resolve(message.run);
      else emulate(message.format, message.inputs).then(layer => tell({ kind: "emulated", layer }), reject);
    });
    tell({ kind: "run", arithmetic });
  });
}
