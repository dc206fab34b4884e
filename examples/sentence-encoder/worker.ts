import { parentPort, workerData } from "node:worker_threads";
import { FusemaxError } from "fusemax";
import { loadModel } from "./model.js";
import { type Arithmetic, type Run, run } from "./run.js";

/** What a worker sends: a line of progress, a finished run, or the message of an error the user can mend. */
export type WorkerMessage =
  | { readonly kind: "note"; readonly line: string }
  | { readonly kind: "run"; readonly run: Run }
  | { readonly kind: "mendable"; readonly complaint: FusemaxError["complaint"] };

/** Runs one arithmetic after another, as the pool hands them out. */
const port = parentPort;
if (port === null) throw new Error("worker.ts runs as a worker thread");
const ids = workerData as readonly number[];
const send = (message: WorkerMessage): void => port.postMessage(message);
const model = loadModel();

port.on("message", async (arithmetic: Arithmetic) => {
  try {
    send({ kind: "run", run: await run(await model, ids, arithmetic, line => send({ kind: "note", line })) });
  } catch (error) {
    if (!(error instanceof FusemaxError)) throw error;
    send({ kind: "mendable", complaint: error.complaint });
  }
});
