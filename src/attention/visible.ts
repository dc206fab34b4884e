import { isEmpty } from "./key-range.js";
import { type Masked, maskOf, sequenceOf } from "./mask.js";
import { allRows, type RowRange, rowAt } from "./rows.js";

/** How many scores exist in the output rows of `range` (all rows by default): the (row, key) pairs that the mask leaves. */
export function visibleScores(problem: Masked, range: RowRange = allRows(problem)): number {
  const mask = maskOf(problem);
  let scores = 0;
  for (let row = range.start; row < range.end; row += 1) scores += mask.count(row);
  return scores;
}

/** How many output rows have no key at all and are +0, those past `qLens` not counted. */
export function rowsWithoutKeys(problem: Masked): number {
  const { shape } = problem;
  const mask = maskOf(problem);
  let rows = 0;
  for (let b = 0; b < shape.batch; b += 1) {
    const { queries } = sequenceOf(problem, b);
    // Heads see the same, but for planes.
    for (let h = 0; h < (mask.isInterval ? 1 : shape.heads); h += 1) {
      for (let p = 0; p < queries; p += 1) if (isEmpty(mask.span(rowAt(shape, { b, h, p })))) rows += 1;
    }
  }
  return mask.isInterval ? rows * shape.heads : rows;
}
