import { parentPort } from "node:worker_threads";
import { workerInside } from "../emulator/wasm/worker.js";
import { compiledAtOnce } from "./optimized-at-once.js";

/** A worker thread of the WebAssembly engine in Node. */
if (parentPort === null) throw new Error("wasm-worker is the inside of a worker thread");
const port = parentPort;
const take = workerInside((message, handOver) => port.postMessage(message, handOver), compiledAtOnce);
port.on("message", take);
