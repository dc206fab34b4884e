import type { KeyRange } from "../attention/key-range.js";
import { sequenceOf } from "../attention/mask.js";
import type { AttentionProblem } from "../attention/problem.js";

/** Whether a problem's keys are split into runs that are merged afterwards. */
export const isSplit = ({ kvSplits = 1 }: Pick<AttentionProblem, "kvSplits">): boolean => kvSplits > 1;

/** The runs of key tiles, in ascending order, of a sequence of so many keys (docs/arithmetic.md, "Split keys"). */
export function keyRuns(
  { tile, kvSplits = 1 }: Pick<AttentionProblem, "tile" | "kvSplits">,
  keys: number,
): readonly KeyRange[] {
  const perRun = Math.ceil(Math.ceil(keys / tile.m0) / kvSplits) * tile.m0;
  const runs: KeyRange[] = [];
  for (let from = 0; from < keys; from += perRun) runs.push({ from, to: Math.min(from + perRun, keys) });
  return runs;
}

/** The n-th run of each batch; null for a batch that has fewer. */
export function nthRun(problem: AttentionProblem, n: number): (batch: number) => KeyRange | null {
  const { batch } = problem.shape;
  const runs = Array.from({ length: batch }, (_, b) => keyRuns(problem, sequenceOf(problem, b).keys)[n] ?? null);
  return b => runs[b] ?? null;
}
