import type { MapperProblem } from "./problem.js";
import type { RankCut } from "./tiling.js";

// What blocks take and what passes for them, at a glance.

export type Cut = readonly RankCut[];

/** What a way to cut all ranks looks like. */
export interface Glance {
  /** Of each rank the ways to cut it that are looked at, by their places; undefined: all. */
  readonly allowed: readonly (readonly number[])[] | undefined;
  /** Whether blocks of all that is worked on fit together. */
  fits(cut: Cut): boolean;
  /** Seconds of the arrays; the order of loops changes nothing of it. */
  seconds(digits: readonly number[], cut: Cut): number;
  /** What passes DRAM under an order of the loops over blocks, and the seconds of that and of what passes other levels. */
  traffic(order: readonly number[], cut: Cut): { readonly bytes: number; readonly seconds: number };
}

/** Enough to compare tilings by. */
export const wordBytes = 2;

export const blockOf = (cut: Cut, r: number): number => (cut[r]?.inner ?? 1) * (cut[r]?.middle ?? 1);

/** Words of a tensor that pass DRAM: its blocks once for every iteration of the loops around the innermost one that changes them. */
export function wordsRead(order: readonly number[], cut: Cut, ranks: readonly number[]): number {
  const innermost = order.findLastIndex(r => (cut[r]?.outer ?? 1) > 1 && ranks.includes(r));
  // Loops over the batch that no order has are outside of all others.
  let iterations = ranks.reduce((n, r) => (order.includes(r) ? n : n * (cut[r]?.outer ?? 1)), 1);
  for (let i = 0; i <= innermost; i += 1) iterations *= cut[order[i] as number]?.outer ?? 1;
  return ranks.reduce((words, r) => words * blockOf(cut, r), iterations);
}

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
