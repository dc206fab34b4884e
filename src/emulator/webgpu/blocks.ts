import { hull, isEmpty, type KeyRange, noKeys } from "../../attention/key-range.js";
import { type Mask, maskOf } from "../../attention/mask.js";
import type { AttentionProblem } from "../../attention/problem.js";
import { batchOf, headOf, kvHeadOfRow, type RowRange, rowsOfHead, rowsOfKvHead } from "../../attention/rows.js";
import { type KeyOrder, keyOrder } from "./key-order.js";

/** A workgroup's rows: up to `blockRows` consecutive rows that share their keys and values. */
export interface RowBlockPlan {
  /** b * kvHeads + the key/value head. */
  readonly kvHead: number;
  /** First output row, and how many. */
  readonly row: number;
  readonly count: number;
  /** Tiles [tileBegin, tileEnd) hold every key that a row of the block sees. */
  readonly tileBegin: number;
  readonly tileEnd: number;
  /** The place of the first key of the rows' sequence. */
  readonly firstKey: number;
}

/** The rows of a request cut into blocks. Row i of block n has the slot n * blockRows + i; slots past `count` are empty. */
export interface BlockPlan {
  readonly blockRows: number;
  readonly blocks: readonly RowBlockPlan[];
  /** Keys [begin, end) that each slot sees: two numbers a slot. */
  readonly windows: Uint32Array<ArrayBuffer>;
}

/**
 * Cuts rows into blocks; windows and tiles are those of places in an order of the keys, and of a range of keys alone where one is
 * given.
 */
export function planBlocks(
  problem: AttentionProblem,
  range: RowRange,
  blockRows: number,
  order: KeyOrder = keyOrder(problem, false),
  within?: (b: number) => KeyRange,
): BlockPlan {
  const starts: { row: number; count: number }[] = [];
  for (let row = range.start; row < range.end; ) {
    const kvHeadEnd = rowsOfKvHead(problem.shape, kvHeadOfRow(problem.shape, row)).end;
    const count = Math.min(blockRows, range.end - row, kvHeadEnd - row);
    starts.push({ row, count });
    row += count;
  }
  const mask = maskOf(problem);
  const windows = new Uint32Array(starts.length * blockRows * 2);
  const blocks = starts.map(({ row, count }, n): RowBlockPlan => {
    const b = batchOf(problem.shape, row);
    const own = within?.(b);
    const spans = Array.from({ length: count }, (_, i) =>
      order.placesOf(b, own === undefined ? mask.span(row + i) : mask.spanWithin(row + i, own)),
    );
    for (const [i, span] of spans.entries()) windows.set([span.from, span.to], (n * blockRows + i) * 2);
    const { from, to } = spans.reduce(hull, noKeys);
    const tileBegin = Math.floor(from / problem.tile.m0);
    const tileEnd = Math.max(tileBegin, Math.ceil(to / problem.tile.m0));
    return { kvHead: kvHeadOfRow(problem.shape, row), row, count, tileBegin, tileEnd, firstKey: order.firstPlace(b) };
  });
  return { blockRows, blocks, windows };
}

/** From the first to the last key that rows [start, end) see. */
function seenTogether(mask: Mask, start: number, end: number): KeyRange {
  let all = noKeys;
  for (let row = start; row < end; row += 1) all = hull(all, mask.span(row));
  return all;
}

/**
 * Tiles (query tile p1, key tile m1) of the range in which at least one query sees a key. Rows before the range that
 * are in its first query tile count as done, so that neighbouring ranges add up.
 */
export function countTiles(problem: AttentionProblem, range: RowRange): number {
  const { shape } = problem;
  const { m0, p0 } = problem.tile;
  const mask = maskOf(problem);
  if (!mask.isInterval) return countPlaneTiles(problem, mask, range);
  /** Key tiles that rows [start, end) of one head see; their windows overlap or touch, so they make one span. */
  const keyTiles = (start: number, end: number): number => {
    const seen = seenTogether(mask, start, end);
    return isEmpty(seen) ? 0 : Math.ceil(seen.to / m0) - Math.floor(seen.from / m0);
  };
  let tiles = 0;
  for (let row = range.start; row < range.end; ) {
    const head = rowsOfHead(shape, headOf(shape, row));
    const tileStart = head.start + Math.floor((row - head.start) / p0) * p0;
    const end = Math.min(range.end, tileStart + p0, head.end);
    tiles += keyTiles(tileStart, end) - keyTiles(tileStart, row);
    row = end;
  }
  return tiles;
}

/** The same where what a row sees is no interval: tile by tile, until a row is found that sees a key. */
function countPlaneTiles({ shape, tile }: AttentionProblem, mask: Mask, range: RowRange): number {
  const { m0, p0 } = tile;
  const touches = (start: number, end: number, m1: number): boolean => {
    for (let row = start; row < end; row += 1) {
      if (!isEmpty(mask.spanWithin(row, { from: m1 * m0, to: (m1 + 1) * m0 }))) return true;
    }
    return false;
  };
  let tiles = 0;
  for (let row = range.start; row < range.end; ) {
    const head = rowsOfHead(shape, headOf(shape, row));
    const tileStart = head.start + Math.floor((row - head.start) / p0) * p0;
    const end = Math.min(range.end, tileStart + p0, head.end);
    const { from, to } = seenTogether(mask, row, end);
    for (let m1 = Math.floor(from / m0); m1 * m0 < to; m1 += 1) {
      if (touches(row, end, m1) && !touches(tileStart, row, m1)) tiles += 1;
    }
    row = end;
  }
  return tiles;
}
