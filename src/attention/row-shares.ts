import { headsOf } from "./heads.js";
import { type Masked, maskOf } from "./mask.js";
import { allRows, type RowRange, rowsOfHead } from "./rows.js";
import type { Tile } from "./tile.js";

/** Rows whose costs are known together. */
const stretch = 1024;

/**
 * The rows of part `index` of `count`: parts follow each other, cover all rows, and cost alike, though under a causal mask the
 * last row costs as much as all the first ones. A row costs the keys from the first to the last that it sees, and one key tile
 * for what it costs anyway.
 */
export function rowsOfShare(problem: Masked & { readonly tile: Tile }, index: number, count: number): RowRange {
  const cost = rowCost(problem);
  const stretches = stretchesOf(problem, cost);
  const total = stretches.reduce((sum, { cost }) => sum + cost, 0);
  const boundary = (part: number): number => {
    if (part === 0) return 0;
    if (part === count) return allRows(problem).end;
    const target = (total / count) * part;
    let before = 0;
    for (const { start, end, cost: whole } of stretches) {
      if (before + whole < target) {
        before += whole;
        continue;
      }
      for (let row = start; row < end; row += 1) {
        before += cost(row);
        // The row in which the target lies goes where its greater half is.
        if (before >= target) return before - target <= cost(row) / 2 ? row + 1 : row;
      }
    }
    return allRows(problem).end;
  };
  return { start: boundary(index), end: boundary(index + 1) };
}

const rowCost = (problem: Masked & { readonly tile: Tile }): ((row: number) => number) => {
  const mask = maskOf(problem);
  return row => {
    const { from, to } = mask.span(row);
    return to - from + problem.tile.m0;
  };
};

interface Stretch extends RowRange {
  readonly cost: number;
}

/** All rows in stretches; heads that see the same are gone through once. */
function stretchesOf(problem: Masked, cost: (row: number) => number): readonly Stretch[] {
  const { shape } = problem;
  const sameForHeads = maskOf(problem).isInterval;
  const stretches: Stretch[] = [];
  let ofHead: readonly Stretch[] = [];
  for (let head = 0; head < headsOf(shape); head += 1) {
    const { start, end } = rowsOfHead(shape, head);
    if (!sameForHeads || head % shape.heads === 0) {
      ofHead = Array.from({ length: Math.ceil((end - start) / stretch) }, (_, i) => {
        const range = { start: i * stretch, end: Math.min((i + 1) * stretch, end - start) };
        let sum = 0;
        for (let row = range.start; row < range.end; row += 1) sum += cost(start + row);
        return { ...range, cost: sum };
      });
    }
    for (const { start: a, end: b, cost } of ofHead) stretches.push({ start: start + a, end: start + b, cost });
  }
  return stretches;
}
