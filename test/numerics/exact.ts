/** Exact rationals of float64s, for oracles: n / 2^1200. */
const shift = 1200n;

export function exact(x: number): bigint {
  if (x === 0) return 0n;
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, x);
  const bits = view.getBigUint64(0);
  const exponent = (bits >> 52n) & 0x7ffn;
  const fraction = bits & 0xfffffffffffffn;
  const significand = exponent === 0n ? fraction : fraction | 0x10000000000000n;
  const magnitude = significand << (shift + (exponent === 0n ? -1074n : exponent - 1075n));
  return x < 0 ? -magnitude : magnitude;
}

/** n / 2^(1200 * scales) as an exact product of as many factors has it, brought back. */
export const product = (...factors: readonly number[]): bigint =>
  factors.map(exact).reduce((a, b) => (a * b) >> shift, 1n << shift);

const magnitudeOf = (x: bigint): bigint => (x < 0n ? -x : x);

/** x / s with 1200 bits after the point and a sticky one. */
export function quotient(x: number, s: number): bigint {
  const numerator = exact(x) << shift;
  const divisor = exact(s);
  const cut = numerator / divisor;
  if (cut * divisor === numerator) return cut;
  return cut | 1n;
}

/** The fp32 value nearest to `x`, ties to even, by search among the neighbours of a guess. */
export function nearestFp32(x: bigint): number {
  const float = new Float32Array(1);
  const bits = new Uint32Array(float.buffer);
  const magnitude = magnitudeOf(x);
  // The largest fp32 that is not above: bits grow with values.
  let [low, high] = [0, 0x7f7fffff];
  const valueAt = (u: number): bigint => {
    bits[0] = u;
    return exact(float[0] as number);
  };
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (valueAt(middle) <= magnitude) low = middle;
    else high = middle - 1;
  }
  const below = magnitude - valueAt(low);
  const above = valueAt(low + 1) - magnitude;
  bits[0] = below < above || (below === above && low % 2 === 0) ? low : low + 1;
  const value = float[0] as number;
  return x < 0n ? -value : value;
}
