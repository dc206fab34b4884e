import type { Cascade } from "./cascade.js";
import { isMixedRadix, type Rank } from "./ranks.js";

/**
 * The ranks that a rank is split into, outermost first, as the indices of the text have it: M1, M0 for `m1*M0 + m0`. The
 * rank itself where it is not split.
 */
export function splitOf(cascade: Cascade, rank: Rank): readonly string[] {
  if (rank.parts.length === 1) return rank.parts;
  const found = known.get(rank) ?? splitIn(cascade, rank);
  known.set(rank, found);
  return found;
}

/** A rank is of one cascade. */
const known = new WeakMap<Rank, readonly string[]>();

function splitIn(cascade: Cascade, { parts }: Rank): readonly string[] {
  const scaledBy = new Map<string, number>();
  for (const { indices } of cascade.einsums.flatMap(einsum => [einsum, ...einsum.reads])) {
    for (const index of indices.filter(isMixedRadix)) {
      for (const { variable, coefficient } of index.terms) {
        const factors = Math.max(0, ...coefficient.map(({ names }) => names.length));
        scaledBy.set(cascade.ranks.ofVariable(variable).name, factors);
      }
    }
  }
  return [...parts].sort((a, b) => (scaledBy.get(b) ?? 0) - (scaledBy.get(a) ?? 0));
}
