import { parentPort, workerData } from "node:worker_threads";
import { parseCascade } from "../einsum/cascade.js";
import { evaluateCascade } from "../einsum/evaluate.js";
import { FusemaxError } from "../errors.js";
import type { EvaluationAnswer, EvaluationTask } from "./evaluate-on-thread.js";

/** A worker thread that evaluates one cascade. */
const { text, name, inputs, options } = workerData as EvaluationTask;
const answer = (message: EvaluationAnswer, handedOver: ArrayBuffer[] = []): void =>
  parentPort?.postMessage(message, handedOver);
try {
  const evaluation = evaluateCascade(parseCascade(text, name), inputs, {
    ...options,
    onProgress: progress => answer({ kind: "progress", progress }),
  });
  const buffers = [...evaluation.tensors.values()].map(({ data }) => data.buffer);
  answer({ kind: "done", evaluation }, buffers);
} catch (error) {
  if (!(error instanceof FusemaxError)) throw error;
  answer({ kind: "refused", name: error.name, complaint: error.complaint });
}
