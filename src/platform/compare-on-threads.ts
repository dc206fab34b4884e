import { type CompareRows, type ComparisonTask, compareHere } from "../emulator/compared-rows.js";
import { onThreads, threadCount } from "./threads.js";

/** Multiply-accumulates that take as long as threads take to start, a few tenths of a second. */
const fewMacs = 3e8;

/** Rows to compare with on all cores, where that pays and the tensors lie in memory that threads share. */
export const compareOnThreads: CompareRows = task =>
  macsOf(task) > fewMacs && isShared(task) && threadCount() >= 1
    ? onThreads("compare-worker.js", task.rows, { problem: task.problem, tensors: task.tensors })
    : compareHere(task);

function macsOf({ problem, rows }: ComparisonTask): number {
  const { keys, headDim, valueDim } = problem.shape;
  return rows.length * keys * (headDim + valueDim);
}

function isShared({ tensors }: ComparisonTask): boolean {
  const { q, k, v } = "operands" in tensors ? tensors.operands : tensors.inputs;
  return [q, k, v].every(({ buffer }) => buffer instanceof SharedArrayBuffer);
}
