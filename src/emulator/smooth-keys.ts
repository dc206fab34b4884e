import type { GivenValues } from "../numerics/quantize.js";

/**
 * K of one head without its mean over the keys in `tokens` (docs/arithmetic.md, "Smoothed keys"), to the same places
 * of `out`: per feature mean = RNE32(sum / number), the sum in float64 in ascending order over K rounded to fp32; k' = RNE32(RNE32(k) - mean).
 * The head's [M, columns] begin at `from`.
 */
export function smoothHead(
  keys: GivenValues,
  from: number,
  columns: number,
  tokens: readonly (readonly [number, number])[],
  out: Float32Array,
): void {
  const sums = new Float64Array(columns);
  let count = 0;
  for (const [a, b] of tokens) {
    count += b - a;
    for (let m = a; m < b; m += 1) {
      const begin = from + m * columns;
      for (let e = 0; e < columns; e += 1) sums[e] = (sums[e] as number) + Math.fround(keys[begin + e] as number);
    }
  }
  const means = Float32Array.from(sums, sum => sum / count);
  for (const [a, b] of tokens) {
    for (let i = from + a * columns, e = 0; i < from + b * columns; i += 1, e = (e + 1) % columns) {
      out[i] = Math.fround(keys[i] as number) - (means[e] as number);
    }
  }
}
