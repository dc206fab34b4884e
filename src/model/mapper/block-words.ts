import type { ByRank, Cut } from "./glance.js";
import type { MapperProblem } from "./problem.js";

// What blocks take and what passes for them, at a glance.

/** Enough to compare tilings by. */
export const wordBytes = 2;

/** Words of some tensors, of each so many coordinates of its ranks. */
export function wordsOf(tensors: readonly (readonly number[])[], coordinates: ByRank): number {
  let total = 0;
  for (const ranks of tensors) {
    let words = 1;
    for (const r of ranks) words *= coordinates[r] as number;
    total += words;
  }
  return total;
}

/** A tensor whose blocks pass a level: its ranks, and those of the loops around it; each as bits too. */
export class PassingTensor {
  private readonly own: number;
  private readonly loops: number;

  /** @param loops the ranks of the loops that there are for it; undefined: all */
  constructor(
    readonly ranks: readonly number[],
    loops?: readonly number[],
  ) {
    this.own = bitsOf(ranks);
    this.loops = loops === undefined ? -1 : bitsOf(loops);
  }

  /** Words that pass when each block passes once. */
  once(cut: Cut): number {
    let words = 1;
    for (const r of this.ranks) {
      const { inner, middle, outer } = cut[r] as Cut[number];
      words *= inner * middle * outer;
    }
    return words;
  }

  /** How often each of its blocks passes: once for every iteration of the loops around the innermost that changes it, but for its own. */
  times(order: readonly number[], cut: Cut): number {
    let [around, found] = [1, 1];
    for (const r of order) {
      if (((this.loops >>> r) & 1) === 0) continue;
      const { outer } = cut[r] as Cut[number];
      if (((this.own >>> r) & 1) === 0) around *= outer;
      // Loops over the batch that no order has are outside of all others.
      else if (outer > 1) found = around;
    }
    return found;
  }
}

const bitsOf = (ranks: readonly number[]): number => ranks.reduce((bits, r) => bits | (1 << r), 0);

/** A tensor's ranks, by their places. */
export function ranksOfTensor({ facts, ranks }: MapperProblem, tensor: string): readonly number[] {
  const own = facts.ranks(tensor);
  return ranks.flatMap(({ whole, tile }, r) => ([whole, ...tile].some(name => own.includes(name)) ? [r] : []));
}

/** The ranks of each tensor that comes from outside of a block or leaves it. */
export function outsideOf(problem: MapperProblem, from: number, to: number): readonly (readonly number[])[] {
  const { facts, einsums } = problem;
  const tensors = einsums.slice(from, to).flatMap(({ name, placed }) => [
    ...facts.reads(name).flatMap(({ tensor }) => {
      const maker = problem.makerOf(tensor);
      return maker < from || maker >= to ? [tensor] : [];
    }),
    ...(problem.leaves(placed.output, from, to) ? [placed.output] : []),
  ]);
  return [...new Set(tensors)].map(tensor => ranksOfTensor(problem, tensor));
}
