import { SpecError } from "../errors.js";
import type { EinsumCounts } from "./action-counts.js";

/** One combination of blocks, with what has been worked out about it so far. */
export interface Candidate {
  readonly blocks: readonly number[];
  /** Bytes of its tiles in each buffer on the way, outermost first. */
  bytesKept: readonly number[] | undefined;
  dramBytes: number | undefined;
  counts: EinsumCounts | undefined;
}

/** All combinations of an Einsum's choices. */
export interface SearchSpace {
  /** Per choice the sizes of a block that are tried. */
  readonly sizes: readonly (readonly number[])[];
  /** Every combination; the first choice varies fastest. */
  readonly candidates: readonly Candidate[];
}

/** Combinations that are tried at the most: some hundred times those of the paper's mappings. */
const mostCandidates = 1_000_000;

/** @param where the place of the choices, for the error. @throws SpecError for more combinations than can be tried. */
export function searchSpace(sizes: readonly (readonly number[])[], where: () => string): SearchSpace {
  const count = sizes.reduce((product, own) => product * own.length, 1);
  if (count > mostCandidates) {
    const expected = `at most ${mostCandidates}`;
    throw new SpecError({ where: where(), got: `${count} combinations of blocks to try`, expected });
  }
  const combinations = sizes.reduce<readonly (readonly number[])[]>(
    (before, own) => own.flatMap(size => before.map(blocks => [...blocks, size])),
    [[]],
  );
  const unknown = { bytesKept: undefined, dramBytes: undefined, counts: undefined };
  return { sizes, candidates: combinations.map(blocks => ({ blocks, ...unknown })) };
}

/**
 * The sizes of a block of n tiles that are tried: its divisors and the powers of two; or, where blocks may leave a
 * partial last one, a set that does not depend on n (two sizes an octave, up to n), so that a longer sequence never
 * finds a better block than a shorter one could have.
 */
export function blockSizes(n: number, partial: boolean, where: () => string): readonly number[] {
  if (!(n >= 1 && n <= mostTiles)) {
    throw new SpecError({ where: where(), got: `blocks of up to ${n} tiles`, expected: "a number from 1 to 2^48" });
  }
  const known = partial ? partialSizes : dividingSizes;
  const found = known.get(n);
  if (found !== undefined) return found;
  const sizes = new Set<number>([n]);
  for (let size = 1; size <= n; size *= 2) {
    sizes.add(size);
    if (partial && 3 * size <= n) sizes.add(3 * size);
  }
  if (!partial) {
    for (let d = 1; d * d <= n; d++) {
      if (n % d === 0) sizes.add(d).add(n / d);
    }
  }
  const list = [...sizes].sort((a, b) => a - b);
  if (known.size > 1000) known.clear();
  known.set(n, list);
  return list;
}

/** Divisors are found by trial up to the root. */
const mostTiles = 2 ** 48;

const dividingSizes = new Map<number, readonly number[]>();
const partialSizes = new Map<number, readonly number[]>();
