/**
 * A rank cut into parts, outermost first: part k runs over chunks of `chunk[k]` coordinates, the product of the bounds
 * within it. When they do not divide the rank the last chunk is partial, at every depth.
 *
 * For each subset of the parts (bit k = part k) the result holds how many distinct index tuples the loops over those
 * parts take: for all parts the rank's size, for a prefix the whole and partial chunks, for an inner part alone its
 * extent in the first, largest chunk.
 */
export function countParts(size: number, bounds: ArrayLike<number>, into: Float64Array): void {
  const parts = bounds.length;
  const subsets = 1 << parts;
  for (let subset = 0; subset < subsets; subset++) into[subset] = count(size, bounds, 0, subset);
}

function count(size: number, bounds: ArrayLike<number>, part: number, subset: number): number {
  if (size === 0) return 0;
  if (subset >>> part === 0) return 1;
  let chunk = 1;
  for (let k = part + 1; k < bounds.length; k++) chunk *= bounds[k] as number;
  if ((subset & (1 << part)) === 0) return count(Math.min(size, chunk), bounds, part + 1, subset);
  const whole = Math.floor(size / chunk);
  const rest = size - whole * chunk;
  const inWhole = whole === 0 ? 0 : whole * count(chunk, bounds, part + 1, subset);
  return inWhole + (rest === 0 ? 0 : count(rest, bounds, part + 1, subset));
}
