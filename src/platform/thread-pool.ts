import { Worker } from "node:worker_threads";

/** Threads that stay: each answers one message, a task, with one message, and takes the next task when it is free. */
export class ThreadPool<Task, Result> {
  readonly #workers: readonly Worker[];
  #gone: Error | null = null;

  /**
   * @param file a built module: a thread cannot run TypeScript
   * @param workerData what every thread gets
   * @param of what the threads belong to, for messages
   */
  constructor(file: URL, workerData: unknown, threads: number, of: string) {
    this.#workers = Array.from({ length: threads }, () => new Worker(file, { workerData }));
    for (const worker of this.#workers) {
      worker.on("error", error => {
        this.#gone ??= error;
      });
      worker.on("exit", code => {
        this.#gone ??= new Error(`a thread of the ${of} ended with ${code}`);
      });
    }
  }

  /** Has all tasks answered; `take` gets the results as they come, in any order. */
  async drain(tasks: Iterator<Task>, take: (result: Result, task: Task) => void): Promise<void> {
    await Promise.all(this.#workers.map(worker => this.#feed(worker, tasks, take)));
  }

  /** Gives a thread one task after the other until none is left. */
  #feed(worker: Worker, tasks: Iterator<Task>, take: (result: Result, task: Task) => void): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#gone !== null) {
        reject(this.#gone);
        return;
      }
      let asked: Task | undefined;
      const next = (): void => {
        const task = tasks.next();
        if (task.done === true) {
          settle(resolve);
        } else {
          asked = task.value;
          worker.postMessage(asked);
        }
      };
      const onMessage = (result: Result): void => {
        try {
          take(result, asked as Task);
          next();
        } catch (error) {
          settle(() => reject(error));
        }
      };
      const onGone = (): void => settle(() => reject(this.#gone));
      const settle = (then: () => void): void => {
        worker.off("message", onMessage).off("error", onGone).off("exit", onGone);
        then();
      };
      worker.on("message", onMessage).on("error", onGone).on("exit", onGone);
      next();
    });
  }

  async end(): Promise<void> {
    await Promise.all(this.#workers.map(worker => worker.terminate()));
  }
}
