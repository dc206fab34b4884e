import type { AttentionProblem, RowRange } from "./problem.js";

/** Keys [from, to) that a query sees; empty when from >= to. What a mask shows of a row is always one interval. */
export interface KeyRange {
  readonly from: number;
  readonly to: number;
}

const nothing: KeyRange = { from: 0, to: 0 };

/** P_b: how many queries batch b has. */
export function queriesOf({ shape, mask }: AttentionProblem, b: number): number {
  return mask.qLens?.[b] ?? shape.queries;
}

/** M_b: how many keys batch b has. */
export function keysOf({ shape, mask }: AttentionProblem, b: number): number {
  return mask.kvLens?.[b] ?? shape.keys;
}

/** The keys that query p of batch b sees: it stands at i = p + M_b - P_b and sees i - left <= m <= i + right. */
export function visibleKeys(problem: AttentionProblem, b: number, p: number): KeyRange {
  const queries = queriesOf(problem, b);
  const keys = keysOf(problem, b);
  if (p >= queries) return nothing;
  const { left, right } = problem.mask;
  const i = p + keys - queries;
  const from = left < 0 ? 0 : Math.max(0, i - left);
  const to = right < 0 ? keys : Math.min(keys, i + right + 1);
  return from < to ? { from, to } : nothing;
}

/** How many scores exist in the output rows of `range` (all rows by default): the (row, key) pairs that the mask leaves. */
export function visibleScores(problem: AttentionProblem, range: RowRange = allRows(problem)): number {
  const { heads, queries } = problem.shape;
  let scores = 0;
  for (let row = range.start; row < range.end; row += 1) {
    const { from, to } = visibleKeys(problem, Math.floor(row / (heads * queries)), row % queries);
    scores += to - from;
  }
  return scores;
}

/** All output rows of a problem. */
export function allRows({ shape }: AttentionProblem): RowRange {
  return { start: 0, end: shape.batch * shape.heads * shape.queries };
}

/** How many output rows have no key at all and are +0, those past `qLens` not counted. */
export function rowsWithoutKeys(problem: AttentionProblem): number {
  let rows = 0;
  for (let b = 0; b < problem.shape.batch; b += 1) {
    const queries = queriesOf(problem, b);
    for (let p = 0; p < queries; p += 1) {
      const { from, to } = visibleKeys(problem, b, p);
      if (from >= to) rows += 1;
    }
  }
  return rows * problem.shape.heads;
}
