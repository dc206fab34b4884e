import type { Matrix } from "./encode.js";

/**
 * K without its mean over the keys (docs/arithmetic.md, "Smoothed keys"): per feature mean = RNE32(sum / number), the
 * sum in float64 in ascending order over K rounded to fp32; k' = RNE32(RNE32(k) - mean).
 * @param keys [M, E], those that some query sees at `seen`; the others come out 0
 */
export function smoothKeys(keys: Matrix, seen: readonly boolean[]): Matrix {
  const { rows, columns, values } = keys;
  const at = (row: number, column: number): number => Math.fround(values[row * columns + column] as number);
  const smoothed = new Float64Array(values.length);
  const seenRows = Array.from({ length: rows }, (_, row) => row).filter(row => seen[row] === true);
  for (let column = 0; column < columns; column += 1) {
    const sum = seenRows.reduce((total, row) => total + at(row, column), 0);
    const mean = Math.fround(sum / seenRows.length);
    for (const row of seenRows) smoothed[row * columns + column] = Math.fround(at(row, column) - mean);
  }
  return { rows, columns, values: smoothed };
}
