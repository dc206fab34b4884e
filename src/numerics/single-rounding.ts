/**
 * Sums of fp32 values rounded to fp32 once, from float64 operations: the float64 result is first rounded
 * to odd by the sign of what it lost, after which a second rounding to 24 bits is innocuous (Boldo and Melquiond,
 * "Emulation of FMA and correctly rounded sums", IEEE Transactions on Computers 57, 2008).
 */

/** RNE32(a * b + c) for fp32 values; the product is exact in float64. */
export function fusedMultiplyAdd32(a: number, b: number, c: number): number {
  const product = a * b;
  const sum = product + c;
  // What the sum lost (Knuth's two-sum), exact.
  const part = sum - product;
  const lost = product - (sum - part) + (c - part);
  return Math.fround(toOdd(sum, lost));
}

/**
 * RNE32(x / s) for any float64 x and an fp32 value s > 0. To round twice is to round once: s times a tie of fp32 has 49 bits
 * and is a float64, the next ones are further from it than what a float64 quotient loses, times s.
 */
export const quotient32 = (x: number, s: number): number => Math.fround(x / s);

const double = new Float64Array(1);
const word = new BigInt64Array(double.buffer);

/** A float64 `x` off by `lost`: the odd one of the two float64s around the exact value. */
function toOdd(x: number, lost: number): number {
  if (lost === 0 || !Number.isFinite(x)) return x;
  double[0] = x;
  const bits = word[0] as bigint;
  if ((bits & 1n) === 1n) return x;
  // Magnitudes grow with their bits.
  word[0] = bits + (lost > 0 === x > 0 ? 1n : -1n);
  return double[0] as number;
}
