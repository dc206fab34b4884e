import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import type { InputName } from "../emulator/generate.js";

/** A stretch of a generated tensor: the arguments of `generateNormal`. */
export interface NormalTask {
  readonly seed: number;
  readonly name: InputName;
  readonly length: number;
  readonly spread: number;
  readonly start: number;
}

/** Found from src/ as well as from dist/, since a worker thread cannot run TypeScript. */
const workerFile = new URL("../../dist/platform/normal-worker.js", import.meta.url);

/**
 * Generated values on all cores, in the order of the tasks: the values depend on seed, tensor and index alone, not on
 * who makes them. Every worker has one task under way and one waiting.
 */
export async function* generateOnThreads(tasks: Iterable<NormalTask>): AsyncGenerator<Float32Array> {
  const workers = Array.from({ length: availableParallelism() }, () => new NormalWorker());
  const pending: Promise<Float32Array>[] = [];
  let asked = 0;
  try {
    for (const task of tasks) {
      const worker = workers[asked % workers.length] as NormalWorker;
      pending.push(worker.run(task));
      asked += 1;
      if (pending.length >= 2 * workers.length) yield (await pending.shift()) as Float32Array;
    }
    for (const values of pending) yield await values;
  } finally {
    await Promise.all(workers.map(worker => worker.end()));
  }
}

/** A worker thread; it answers in the order in which it was asked. */
class NormalWorker {
  readonly #worker = new Worker(workerFile);
  readonly #waiting: { readonly resolve: (values: Float32Array) => void; readonly reject: (error: Error) => void }[] =
    [];

  constructor() {
    this.#worker.on("message", (values: Float32Array) => this.#waiting.shift()?.resolve(values));
    this.#worker.on("error", error => this.#waiting.shift()?.reject(error));
  }

  run(task: NormalTask): Promise<Float32Array> {
    const values = new Promise<Float32Array>((resolve, reject) => this.#waiting.push({ resolve, reject }));
    values.catch(() => {}); // reported when its turn comes
    this.#worker.postMessage(task);
    return values;
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
  }
}
