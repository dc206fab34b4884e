import { parentPort } from "node:worker_threads";

/** The inside of a worker thread of `onThreads`: answers each task, handing over what its result is in. */
export function answerTasks<Task, Result>(
  answer: (task: Task) => Result,
  handOver: (result: Result) => ArrayBuffer[] = () => [],
): void {
  if (parentPort === null) throw new Error("a module that answers tasks is the inside of a worker thread");
  const port = parentPort;
  port.on("message", (task: Task) => {
    const result = answer(task);
    port.postMessage(result, handOver(result));
  });
}
