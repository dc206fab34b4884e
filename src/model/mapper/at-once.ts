import { ranksOfTensor, wordBytes } from "./block-words.js";
import { dealtRanks } from "./place.js";
import type { MapperProblem } from "./problem.js";

/** The ranks of the batch of which some are worked on at once, by their places. */
export const atOnceRanks = ({ ranks }: Pick<MapperProblem, "ranks">): readonly number[] =>
  ranks.flatMap(({ atOnce }, r) => (atOnce === true ? [r] : []));

/**
 * How many of a batch are worked on at once where cores are within a shared level, by rank: one, all, and as many as that level has room
 * for the inputs of, all of them that blocks of others ask for again, twice while they stream. Heads go before sequences.
 */
export function atOnceOf(problem: MapperProblem): ReadonlyMap<number, readonly number[]> {
  const { ranks, shared, compiled, capacities } = problem;
  const level = compiled.levels.get(shared ?? "");
  if (level === undefined) return new Map();
  const room = (capacities.get(level.index) ?? 0) / (2 * Math.max(1, bytesOfOne(problem)));
  let left = Math.max(1, Math.floor(room));
  const innermostFirst = [...atOnceRanks(problem)].reverse();
  return new Map(
    innermostFirst.map(r => {
      const size = ranks[r]?.size ?? 1;
      // As even as can be.
      const held = Math.ceil(size / Math.ceil(size / Math.min(left, size)));
      left = held < size ? 1 : Math.max(1, Math.floor(left / size));
      return [r, [...new Set([1, held, size])].sort((a, b) => a - b)];
    }),
  );
}

/** Bytes of what one computation of the cascade reads again for each block that is dealt. */
function bytesOfOne(problem: MapperProblem): number {
  const { facts, einsums, ranks } = problem;
  const dealt = dealtRanks(problem, einsums);
  const again = einsums.flatMap(({ name, ranks: its }) =>
    facts.reads(name).flatMap(({ tensor }) => {
      const own = ranksOfTensor(problem, tensor);
      const lacks = its.some(({ rank }) => dealt.includes(rank) && !own.includes(rank));
      return problem.makerOf(tensor) < 0 && lacks ? [tensor] : [];
    }),
  );
  return [...new Set(again)].reduce((bytes, tensor) => {
    const words = ranksOfTensor(problem, tensor).reduce(
      (n, r) => ((ranks[r]?.tile.length ?? 0) > 0 ? n * (ranks[r]?.size ?? 1) : n),
      1,
    );
    return bytes + wordBytes * words;
  }, 0);
}
