import type { AttentionProblem, RowRange } from "../../attention/problem.js";
import { visibleKeys } from "../../attention/visible.js";

/** A workgroup's rows: up to `blockRows` consecutive rows that share their keys and values. */
export interface RowBlockPlan {
  /** b * kvHeads + the key/value head. */
  readonly group: number;
  /** First output row, and how many. */
  readonly row: number;
  readonly count: number;
  /** Tiles [tileBegin, tileEnd) hold every key that a row of the block sees. */
  readonly tileBegin: number;
  readonly tileEnd: number;
}

/** The rows of a request cut into blocks. Row i of block n has the slot n * blockRows + i; slots past `count` are empty. */
export interface BlockPlan {
  readonly blockRows: number;
  readonly blocks: readonly RowBlockPlan[];
  /** Keys [begin, end) that each slot sees: two numbers a slot. */
  readonly windows: Uint32Array<ArrayBuffer>;
}

/** Rows of a group: the query heads that share a key/value head are neighbours in the flat row index. */
export function rowsOfGroup({ shape }: AttentionProblem): number {
  return (shape.heads / shape.kvHeads) * shape.queries;
}

export function planBlocks(problem: AttentionProblem, range: RowRange, blockRows: number): BlockPlan {
  const groupRows = rowsOfGroup(problem);
  const starts: { row: number; count: number }[] = [];
  for (let row = range.start; row < range.end; ) {
    const groupEnd = (Math.floor(row / groupRows) + 1) * groupRows;
    const count = Math.min(blockRows, range.end - row, groupEnd - row);
    starts.push({ row, count });
    row += count;
  }
  const windows = new Uint32Array(starts.length * blockRows * 2);
  const blocks = starts.map(({ row, count }, n): RowBlockPlan => {
    const { from, to } = fillWindows(problem, row, count, windows.subarray(n * blockRows * 2));
    const tileBegin = Math.floor(from / problem.tile.m0);
    const tileEnd = Math.max(tileBegin, Math.ceil(to / problem.tile.m0));
    return { group: Math.floor(row / groupRows), row, count, tileBegin, tileEnd };
  });
  return { blockRows, blocks, windows };
}

/** Writes the windows of some rows; gives the span of keys that they see together. */
function fillWindows(problem: AttentionProblem, row: number, count: number, windows: Uint32Array) {
  const { heads, queries } = problem.shape;
  let from = Number.POSITIVE_INFINITY;
  let to = 0;
  for (let i = 0; i < count; i += 1) {
    const keys = visibleKeys(problem, Math.floor((row + i) / (heads * queries)), (row + i) % queries);
    windows[2 * i] = keys.from;
    windows[2 * i + 1] = keys.to;
    if (keys.from >= keys.to) continue;
    from = Math.min(from, keys.from);
    to = Math.max(to, keys.to);
  }
  return from < to ? { from, to } : { from: 0, to: 0 };
}

/**
 * Tiles (query tile p1, key tile m1) of the range in which at least one query sees a key. Rows before the range that
 * stand in its first query tile count as done, so that neighbouring ranges add up.
 */
export function countTiles(problem: AttentionProblem, range: RowRange): number {
  const { queries } = problem.shape;
  const { p0 } = problem.tile;
  let tiles = 0;
  for (let row = range.start; row < range.end; ) {
    const headStart = Math.floor(row / queries) * queries;
    const tileStart = headStart + Math.floor((row - headStart) / p0) * p0;
    const end = Math.min(range.end, tileStart + p0, headStart + queries);
    tiles += keyTiles(problem, tileStart, end) - keyTiles(problem, tileStart, row);
    row = end;
  }
  return tiles;
}

/** Key tiles that rows [start, end) of one head see; their windows overlap or touch, so they make one span. */
function keyTiles(problem: AttentionProblem, start: number, end: number): number {
  const { from, to } = fillWindows(problem, start, end - start, new Uint32Array(2 * (end - start)));
  return from < to ? Math.ceil(to / problem.tile.m0) - Math.floor(from / problem.tile.m0) : 0;
}
