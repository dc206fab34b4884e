/** How the bits of two outputs differ. */
export interface BitDifference {
  /** Values that differ in a bit. */
  readonly values: number;
  /** Of how many. */
  readonly of: number;
  /** The largest difference. */
  readonly maxAbs: number;
  /** The rms of the differences over the rms of the first output; 0 where that is all zeros. */
  readonly rmsRelative: number;
}

/** Compares two outputs of the same size value by value. */
export function bitDifference(a: Float32Array, b: Float32Array): BitDifference {
  let [values, maxAbs, squares, size] = [0, 0, 0, 0];
  for (let i = 0; i < a.length; i += 1) {
    const [x, y] = [a[i] as number, b[i] as number];
    size += x * x;
    if (Object.is(x, y)) continue;
    values += 1;
    const difference = Math.abs(x - y);
    maxAbs = Math.max(maxAbs, difference);
    squares += difference * difference;
  }
  return { values, of: a.length, maxAbs, rmsRelative: size === 0 ? 0 : Math.sqrt(squares / size) };
}
