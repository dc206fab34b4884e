import type { KeyRange } from "../attention/key-range.js";
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
