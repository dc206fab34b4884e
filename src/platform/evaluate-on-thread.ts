import { Worker } from "node:worker_threads";
import type { Cascade } from "../einsum/cascade.js";
import {
  type EvaluatedCascade,
  type EvaluateOptions,
  type EvaluationProgress,
  evaluateCascade,
} from "../einsum/evaluate.js";
import type { DenseTensor } from "../einsum/tensor-store.js";
import { type Complaint, InputError, NumericsError, UsageError } from "../errors.js";

/** What a thread is asked for: options without functions, which no message carries. */
export interface EvaluationTask {
  readonly text: string;
  readonly name: string;
  readonly inputs: Readonly<Record<string, DenseTensor>>;
  readonly options: Pick<EvaluateOptions, "shape" | "format" | "scale">;
}

export type EvaluationAnswer =
  | { readonly kind: "progress"; readonly progress: EvaluationProgress }
  | { readonly kind: "done"; readonly evaluation: EvaluatedCascade }
  | { readonly kind: "refused"; readonly name: string; readonly complaint: Complaint };

/** Points that take as long as a thread takes to start, some tenths of a second. */
const fewPoints = 5e6;

/**
 * `evaluateCascade` on a thread of its own where it takes long, so that this one hears Ctrl-C and shows progress.
 * @throws what `evaluateCascade` throws
 */
export async function evaluateOnThread(
  cascade: Cascade,
  inputs: Readonly<Record<string, DenseTensor>>,
  options: EvaluationTask["options"],
  points: number,
  onProgress: (progress: EvaluationProgress) => void,
): Promise<EvaluatedCascade> {
  if (points <= fewPoints) return evaluateCascade(cascade, inputs, options);
  const { source } = cascade;
  const workerData: EvaluationTask = { text: source.lines.join("\n"), name: source.name, inputs, options };
  // Found from src/ as well as from dist/, since a worker thread cannot run TypeScript.
  const worker = new Worker(new URL("../../dist/platform/evaluate-worker.js", import.meta.url), { workerData });
  return new Promise((resolve, reject) => {
    worker.on("error", reject);
    worker.on("message", (answer: EvaluationAnswer) => {
      if (answer.kind === "progress") onProgress(answer.progress);
      else if (answer.kind === "done") resolve(answer.evaluation);
      else reject(errorOf(answer.name, answer.complaint));
    });
  });
}

function errorOf(name: string, complaint: Complaint): Error {
  const Class = [InputError, NumericsError].find(candidate => candidate.name === name) ?? UsageError;
  return new Class(complaint);
}
