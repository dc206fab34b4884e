import { groupOf, unevenGroups } from "../attention/heads.js";
import { UsageError } from "../errors.js";
import type { Workload } from "../spec/workload.js";

/** The sizes of one evaluation, by the names that specs use. */
export interface Sizes {
  readonly B: number;
  /** Key/value heads. */
  readonly H: number;
  readonly E: number;
  readonly F: number;
  /** Key and value positions. */
  readonly M: number;
  /** Query positions; a mapping says which rows they make on the columns. */
  readonly queries: number;
  readonly modelDim: number;
  readonly feedForward: number;
  /** Query heads that share a key/value head; 1 where it is left out. */
  readonly group?: number;
  /** 1 where each value is the first part of its key, so that one read brings both; else 0. */
  readonly valuesInKeys?: number;
}

export const workloadSymbols: readonly string[] = [
  "B",
  "H",
  "E",
  "F",
  "M",
  "queries",
  "modelDim",
  "feedForward",
  "group",
  "valuesInKeys",
] satisfies (keyof Sizes)[];

/** The sizes in the order of `workloadSymbols`. */
export function symbolValues(sizes: Sizes): readonly number[] {
  const all: Required<Sizes> = { group: 1, valuesInKeys: 0, ...sizes };
  return workloadSymbols.map(name => all[name as keyof Sizes]);
}

/** Past this a length is refused: counts would still be finite, but no machine has such a sequence. */
export const largestSize = 2 ** 40;

/**
 * A workload at a sequence length (queries = keys, none masked). Throws UsageError for sizes that are not whole or out of range.
 * @example
 * ```ts
 * import { loadWorkload, sizesOf, specFiles } from "fusemax/node";
 *
 * console.log(sizesOf(loadWorkload(specFiles, "bert"), 4096).M); // 4096
 * ```
 */
export function sizesOf(workload: Workload, seq: number, batch: number = workload.batch): Sizes {
  return attentionSizes(workload, { batch, queries: seq, keys: seq });
}

/**
 * The sizes of a workload's attention. Throws UsageError as `checkSizes` does.
 * @example
 * ```ts
 * import { attentionSizes, loadWorkload, specFiles } from "fusemax/node";
 *
 * const sizes = attentionSizes(loadWorkload(specFiles, "bert"), { batch: 1, queries: 1, keys: 4096 });
 * console.log(sizes.H, sizes.M); // 12 4096
 * ```
 */
export function attentionSizes(
  workload: Workload,
  { batch, queries, keys }: { readonly batch: number; readonly queries: number; readonly keys: number },
): Sizes {
  const uneven = unevenGroups(workload);
  if (uneven !== null) throw new UsageError({ where: "key/value heads", ...uneven });
  return checkSizes({
    B: batch,
    H: workload.kvHeads,
    E: workload.headDim,
    F: workload.valueDim,
    M: keys,
    queries,
    modelDim: workload.modelDim,
    feedForward: workload.feedForward,
    group: groupOf(workload),
    valuesInKeys: workload.valuesInKeys ? 1 : 0,
  });
}

/** Throws UsageError unless every size is a whole number from 1 to 2^40 (`valuesInKeys`: 0 or 1). */
export function checkSizes(sizes: Sizes): Sizes {
  for (const [name, size] of Object.entries(sizes)) {
    const least = name === "valuesInKeys" ? 0 : 1;
    if (Number.isInteger(size) && size >= least && size <= largestSize) continue;
    throw new UsageError({ where: `size ${name}`, got: String(size), expected: "a whole number from 1 to 2^40" });
  }
  return sizes;
}
