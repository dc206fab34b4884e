import { parentPort, workerData } from "node:worker_threads";
import { type ComparisonTask, rowComparer } from "../emulator/compared-rows.js";

/** A worker thread that computes what emulated rows are compared with. */
if (parentPort === null) throw new Error("compare-worker is the inside of a worker thread");
const port = parentPort;
const compare = rowComparer(workerData as ComparisonTask);
port.on("message", (row: number) => port.postMessage(compare(row)));
