import { parentPort, workerData } from "node:worker_threads";
import type { FormatName } from "#fusemax/numerics/format";
import type { LayerInputs } from "./attention.js";
import type { LayerEmulation } from "./emulated.js";
import { loadModel } from "./model.js";
import { type Arithmetic, type Run, run } from "./run.js";

/** What a worker is told: to run an arithmetic, or the attention that it asked for. */
export type ToWorker =
  | { readonly kind: "run"; readonly arithmetic: Arithmetic }
  | { readonly kind: "emulated"; readonly layer: LayerEmulation };

/** What a worker says: a line of progress, that it needs a layer emulated, or that a run is done. */
export type FromWorker =
  | { readonly kind: "note"; readonly line: string }
  | { readonly kind: "emulate"; readonly format: FormatName; readonly inputs: LayerInputs }
  | { readonly kind: "done"; readonly run: Run };

const port = parentPort;
if (port === null) throw new Error("worker.ts runs as a worker thread");
const ids = workerData as readonly number[];
const model = loadModel();
const send = (message: FromWorker): void => port.postMessage(message);

/** One run at a time, so at most one answer is awaited. */
let answered = (_: LayerEmulation): void => {};
const emulate = (format: FormatName, inputs: LayerInputs): Promise<LayerEmulation> =>
  new Promise(resolve => {
    answered = resolve;
    send({ kind: "emulate", format, inputs });
  });

port.on("message", async (message: ToWorker) => {
  if (message.kind === "emulated") return answered(message.layer);
  const note = (line: string): void => send({ kind: "note", line });
  send({ kind: "done", run: await run(await model, ids, message.arithmetic, emulate, note) });
});
