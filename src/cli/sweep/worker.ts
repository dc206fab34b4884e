import { parentPort, workerData } from "node:worker_threads";
import { specFiles } from "../../io/spec-files.js";
import { sweeper } from "../../model/sweep.js";
import { type SweepNames, sweepRequest } from "./request.js";

// A thread that evaluates blocks of a sweep's points: { from, to } in, a Block out.

const evaluateAt = sweeper(sweepRequest(specFiles, workerData as SweepNames));

parentPort?.on("message", ({ from, to }: { readonly from: number; readonly to: number }) => {
  const points = Array.from({ length: to - from }, (_, i) => evaluateAt(from + i));
  parentPort?.postMessage({ from, points });
});
