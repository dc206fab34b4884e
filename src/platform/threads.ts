import { Worker } from "node:worker_threads";
import { threadsThatFit } from "./address-space.js";
import { mostJobs } from "./jobs.js";

/** More threads than this cost more memory than they save time. */
const mostThreads = 6;

/** How many threads `onThreads` starts at the most; it may be called where this is one or more. */
export const threadCount = (): number => Math.min(mostThreads, mostJobs(), threadsThatFit());

/**
 * Results of tasks in the order of the tasks, on all cores. Every worker has one task under way and one waiting.
 * @param file a module of src/platform that answers each message, a task, with a message, its result.
 * @param shared what every worker gets as its `workerData`.
 */
export async function* onThreads<Task, Result>(
  file: string,
  tasks: Iterable<Task>,
  shared?: unknown,
): AsyncGenerator<Result> {
  const workers: AnsweringWorker<Task, Result>[] = [];
  const threads = Math.max(1, threadCount());
  const pending: Promise<Result>[] = [];
  let asked = 0;
  try {
    for (const task of tasks) {
      const worker = workers[asked % threads] ?? new AnsweringWorker<Task, Result>(file, shared);
      workers[asked % threads] = worker;
      pending.push(worker.run(task));
      asked += 1;
      if (pending.length >= 2 * threads) yield (await pending.shift()) as Result;
    }
    for (const result of pending) yield await result;
  } finally {
    await Promise.all(workers.map(worker => worker.end()));
  }
}

/** A rejection that is reported when its turn comes. */
function rejected(error: Error): Promise<never> {
  const result = Promise.reject(error);
  result.catch(() => {});
  return result;
}

/** A worker thread that answers in the order in which it was asked. */
class AnsweringWorker<Task, Result> {
  readonly #worker: Worker;
  readonly #waiting: { readonly resolve: (result: Result) => void; readonly reject: (error: Error) => void }[] = [];

  #gone: Error | null = null;

  constructor(file: string, workerData: unknown) {
    // Found from src/ as well as from dist/, since a worker thread cannot run TypeScript.
    this.#worker = new Worker(new URL(`../../dist/platform/${file}`, import.meta.url), { workerData });
    this.#worker.on("message", (result: Result) => this.#waiting.shift()?.resolve(result));
    this.#worker.on("error", error => this.#fail(error));
    this.#worker.on("exit", code => this.#fail(new Error(`a worker thread ended with ${code}`)));
  }

  /** One that is gone answers nobody, later tasks included. */
  #fail(error: Error): void {
    this.#gone ??= error;
    for (const { reject } of this.#waiting.splice(0)) reject(this.#gone);
  }

  run(task: Task): Promise<Result> {
    if (this.#gone !== null) return rejected(this.#gone);
    const result = new Promise<Result>((resolve, reject) => this.#waiting.push({ resolve, reject }));
    result.catch(() => {}); // reported when its turn comes
    this.#worker.postMessage(task);
    return result;
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
  }
}
