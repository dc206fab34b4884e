/**
 * A rank cut into parts, outermost first: part k runs over chunks whose size is the product of the bounds within it.
 * When they do not divide the rank the last chunk is partial, at every depth.
 */
export interface RankCount {
  size: number;
  readonly bounds: Float64Array;
  /**
   * For each subset of the parts (bit k = part k): how many distinct index tuples the loops over those parts take. For
   * all parts the rank's size, for a prefix the whole and partial chunks, for an inner part alone its extent in the
   * first, largest chunk.
   */
  readonly table: Float64Array;
  /** The parts whose loops run in space, as a mask like those of the table. */
  readonly spatial: number;
  /**
   * Some loop iterates in one place and stands still (has a bound of 1) in another: in a partial chunk, or for the
   * instances of a spatial part that a partial chunk leaves idle.
   */
  uneven: boolean;
}

/** Room for a rank of that many parts. */
export const rankCount = (parts: number, spatial: number): RankCount => ({
  size: 0,
  bounds: new Float64Array(parts),
  table: new Float64Array(1 << parts),
  spatial,
  uneven: false,
});

/** Fills in the counts of a rank of `size` coordinates, whose `bounds` are in it already. */
export function countRank(rank: RankCount, size: number): void {
  const { bounds, table } = rank;
  rank.size = size;
  for (let subset = 0; subset < table.length; subset++) table[subset] = countParts(size, bounds, 0, subset);
  iterating.fill(0);
  noteIterations(rank, size, 0);
  rank.uneven = iterating.includes(stillAndIterates);
}

const still = 1;
const iterates = 2;
const stillAndIterates = 3;
/** For the parts of the rank at hand: whether their loops stand still somewhere, and iterate somewhere. */
const iterating = new Uint8Array(32);

function noteIterations(rank: RankCount, size: number, part: number): void {
  const { bounds, spatial } = rank;
  if (part === bounds.length || size === 0) return;
  const chunk = chunkOf(bounds, part);
  const rest = size % chunk;
  iterating[part] = (iterating[part] as number) | (size > chunk ? iterates : still);
  // Instances further in that the rest leaves idle iterate once less.
  if (size > chunk && size < 2 * chunk && spatial >>> (part + 1) !== 0) iterating[part] = stillAndIterates;
  if (size >= chunk) noteIterations(rank, chunk, part + 1);
  if (rest !== 0) noteIterations(rank, rest, part + 1);
}

/** Coordinates that one step of a part covers. */
export function chunkOf(bounds: Float64Array, part: number): number {
  let chunk = 1;
  for (let k = part + 1; k < bounds.length; k++) chunk *= bounds[k] as number;
  return chunk;
}

/** Distinct index tuples of the parts of `subset`, from `part` on, in `size` coordinates. */
export function countParts(size: number, bounds: Float64Array, part: number, subset: number): number {
  if (size === 0) return 0;
  if (subset >>> part === 0) return 1;
  const chunk = chunkOf(bounds, part);
  if ((subset & (1 << part)) === 0) return countParts(Math.min(size, chunk), bounds, part + 1, subset);
  const whole = Math.floor(size / chunk);
  const rest = size - whole * chunk;
  const inWhole = whole === 0 ? 0 : whole * countParts(chunk, bounds, part + 1, subset);
  return inWhole + countParts(rest, bounds, part + 1, subset);
}
