/**
 * Coefficients of 2^f on [0, 1), c0 = 1 first, as fp32 bits: 1 + f·g(f) with g the Chebyshev interpolation of (2^f − 1) / f, close to
 * the best of its degree.
 */
export function exp2Coefficients(degree: number): readonly number[] {
  const nodes = Array.from({ length: degree }, (_, i) => (1 + Math.cos((Math.PI * (i + 0.5)) / degree)) / 2);
  const values = nodes.map(f => (2 ** f - 1) / f);
  return [1, ...interpolate(nodes, values)].map(bitsOf);
}

/** The polynomial through the points, its constant first: Newton's divided differences, multiplied out. */
function interpolate(nodes: readonly number[], values: readonly number[]): readonly number[] {
  const differences = [...values];
  for (let order = 1; order < nodes.length; order += 1) {
    for (let i = nodes.length - 1; i >= order; i -= 1) {
      const step = (nodes[i] as number) - (nodes[i - order] as number);
      differences[i] = ((differences[i] as number) - (differences[i - 1] as number)) / step;
    }
  }
  let sum: readonly number[] = [];
  for (const [i, node] of [...nodes.entries()].reverse()) {
    const times = [0, ...sum].map((c, power) => c - node * (sum[power] ?? 0));
    sum = times.map((c, power) => (power === 0 ? c + (differences[i] as number) : c));
  }
  return sum;
}

const word = new DataView(new ArrayBuffer(4));
const bitsOf = (x: number): number => {
  word.setFloat32(0, x);
  return word.getUint32(0);
};
export const fromBits = (bits: number): number => {
  word.setUint32(0, bits);
  return word.getFloat32(0);
};

/** The largest relative error of a polynomial of 2^f on [0, 1), in float64. */
export function largestError(coefficients: readonly number[]): number {
  const c = coefficients.map(fromBits);
  let largest = 0;
  for (let i = 0; i < 4096; i += 1) {
    const f = i / 4096;
    const p = c.reduceRight((sum, x) => sum * f + x, 0);
    largest = Math.max(largest, Math.abs(p / 2 ** f - 1));
  }
  return largest;
}
