import { workerInside } from "./worker.js";

/** A Web Worker of the WebAssembly engine: the script that `webWasmHost`'s `startWorker` runs. */
const take = workerInside((message, handOver) => globalThis.postMessage(message, { transfer: handOver }));
globalThis.addEventListener("message", ({ data }) => take(data));
