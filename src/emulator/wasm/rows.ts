import { sequenceOf } from "../../attention/mask.js";
import type { AttentionProblem } from "../../attention/problem.js";
import { batchOf, kvHeadOfRow, rowsOfKvHead } from "../../attention/rows.js";
import { lanes } from "./kernels.js";

/** Rows that pass the keys together: consecutive rows that read the same key/value head. */
export interface Rows {
  readonly start: number;
  readonly count: number;
  /** Lane groups that hold them. */
  readonly laneGroups: number;
  readonly kvHead: number;
  /** How many keys the head has. */
  readonly keys: number;
}

/** The rows from `start` on, before `end`, that can pass the keys together in at most `groups` lane groups. */
export function nextRows(problem: AttentionProblem, start: number, end: number, laneGroups: number): Rows {
  const { shape } = problem;
  const kvHead = kvHeadOfRow(shape, start);
  const count = Math.min(end, rowsOfKvHead(shape, kvHead).end, start + laneGroups * lanes) - start;
  const { keys } = sequenceOf(problem, batchOf(shape, start));
  return { start, count, laneGroups: Math.ceil(count / lanes), kvHead, keys };
}
