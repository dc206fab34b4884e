import { UsageError } from "../errors.js";
import type { Workload } from "../spec/workload.js";

/** The sizes of one evaluation, by the names that specs use. */
export interface Sizes {
  readonly B: number;
  readonly H: number;
  readonly E: number;
  readonly F: number;
  /** Key and value positions. */
  readonly M: number;
  /** Query positions. */
  readonly P: number;
  readonly modelDim: number;
  readonly feedForward: number;
}

export const workloadSymbols: readonly string[] = [
  "B",
  "H",
  "E",
  "F",
  "M",
  "P",
  "modelDim",
  "feedForward",
] satisfies (keyof Sizes)[];

/** Past this a length is refused: counts would still be finite, but no machine has such a sequence. */
export const largestSize = 2 ** 40;

/** A workload at a sequence length (queries = keys). Throws UsageError for sizes that are not whole or out of range. */
export function sizesOf(workload: Workload, seq: number, batch: number = workload.batch): Sizes {
  return checkSizes({
    B: batch,
    H: workload.heads,
    E: workload.headDim,
    F: workload.valueDim,
    M: seq,
    P: seq,
    modelDim: workload.modelDim,
    feedForward: workload.feedForward,
  });
}

/** Throws UsageError unless every size is a whole number from 1 to 2^40. */
export function checkSizes(sizes: Sizes): Sizes {
  for (const [name, size] of Object.entries(sizes)) {
    if (Number.isInteger(size) && size >= 1 && size <= largestSize) continue;
    throw new UsageError({ where: `size ${name}`, got: String(size), expected: "a whole number from 1 to 2^40" });
  }
  return sizes;
}
