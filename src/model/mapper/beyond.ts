import type { BoundedBlock } from "./least.js";
import type { PassedTiling } from "./refine.js";

/** Tilings of each block that are searched beyond a budget within which nothing was found, at the most. */
export const mostBeyond = 12;

/** The blocks that no other parts: together they are all Einsums, and what each asks of a memory is as little as it can be. */
export function finestOf(legal: readonly BoundedBlock[]): readonly BoundedBlock[] {
  const ends = new Set(legal.flatMap(({ from, to }) => [from, to]));
  return legal.filter(({ from, to }) => ![...ends].some(end => end > from && end < to));
}

/** Of the tilings of a block that a budget did not reach the next: the best of them and the last of them in turn, which are less alike. */
export function nextLeft(passed: readonly PassedTiling[], turn: number): PassedTiling | undefined {
  const isLeft = ({ reason }: PassedTiling): boolean => reason === "left";
  return turn % 2 === 0 ? passed.find(isLeft) : passed.findLast(isLeft);
}
