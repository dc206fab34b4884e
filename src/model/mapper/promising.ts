import type { OptionLibrary } from "./option.js";
import type { MapperProblem } from "./problem.js";
import { fitsFanouts, type Tiling } from "./tiling.js";

/**
 * The tilings of the Einsums from `from` to before `to` that look best at a glance, by their places in the list, in its order. A
 * guess, no bound: steps of the arrays as if each operation took one cycle, and what comes from outside once per block that asks
 * for it, where blocks of all that fit the buffer together.
 */
export function promisingOf(
  problem: MapperProblem,
  library: OptionLibrary,
  { from, to }: { readonly from: number; readonly to: number },
  tilings: readonly Tiling[],
  most: number,
): readonly number[] {
  if (tilings.length <= most) return tilings.map((_, t) => t);
  const { compiled, values, dram, bufferBytes } = problem;
  const frequencyHz = compiled.frequencyHz(values);
  const bytesPerSecond = compiled.levels.get(dram)?.fields.get("bytesPerSecond")?.(values) ?? Number.POSITIVE_INFINITY;
  const outside = outsideOf(problem, from, to);
  const steps = stepsOf(problem, library, from, to);
  const looks = tilings.map((tiling, t) => {
    let [bytes, held] = [0, 0];
    for (const ranks of outside) {
      bytes += wordBytes * wordsRead(tiling, ranks);
      held += wordBytes * ranks.reduce((words, r) => words * blockOf(tiling, r), 1);
    }
    return {
      t,
      fits: 2 * held <= bufferBytes,
      bytes,
      seconds: Math.max(steps(tiling) / frequencyHz, bytes / bytesPerSecond),
    };
  });
  looks.sort((a, b) => Number(b.fits) - Number(a.fits) || a.seconds - b.seconds || a.bytes - b.bytes || a.t - b.t);
  return looks
    .slice(0, most)
    .map(({ t }) => t)
    .sort((a, b) => a - b);
}

/** Enough to compare tilings by. */
const wordBytes = 2;

const blockOf = ({ cut }: Tiling, r: number): number => (cut[r]?.inner ?? 1) * (cut[r]?.middle ?? 1);

/** Words of a tensor that pass DRAM: its blocks once for every iteration of the loops around the innermost one that changes them. */
function wordsRead({ order, cut }: Tiling, ranks: readonly number[]): number {
  const turning = order.outer.filter(r => (cut[r]?.outer ?? 1) > 1);
  const innermost = turning.findLastIndex(r => ranks.includes(r));
  const turns = turning.slice(0, innermost + 1).reduce((product, r) => product * (cut[r]?.outer ?? 1), 1);
  return ranks.reduce((words, r) => words * blockOf({ order, cut }, r), turns);
}

/** The ranks of each tensor that comes from outside of a block or leaves it. */
function outsideOf(problem: MapperProblem, from: number, to: number): readonly (readonly number[])[] {
  const { facts, einsums, ranks } = problem;
  const tensors = einsums.slice(from, to).flatMap(({ name, placed }) => [
    ...facts.reads(name).flatMap(({ tensor }) => {
      const maker = problem.makerOf(tensor);
      return maker < from || maker >= to ? [tensor] : [];
    }),
    ...(problem.leaves(placed.output, from, to) ? [placed.output] : []),
  ]);
  return [...new Set(tensors)].map(tensor => {
    const own = facts.ranks(tensor);
    return ranks.flatMap(({ whole, inner }, r) =>
      own.includes(whole) || (inner !== undefined && own.includes(inner)) ? [r] : [],
    );
  });
}

/** Steps of all Einsums under a tiling, each at the place where it has the least; the order of loops changes nothing of it. */
function stepsOf({ einsums }: MapperProblem, library: OptionLibrary, from: number, to: number) {
  const known = new Map<string, number>();
  return (tiling: Tiling): number => {
    let total = 0;
    for (let i = from; i < to; i += 1) {
      const own = einsums[i]?.ranks ?? [];
      const key = `${i} ${own.map(({ rank }) => `${tiling.cut[rank]?.middle}/${tiling.cut[rank]?.inner}`)}`;
      const least =
        known.get(key) ??
        library.placesOf(i).reduce((best, place) => {
          if (!fitsFanouts(tiling, place)) return best;
          const turns = own.reduce((product, { rank, middle, inner }) => {
            const cut = tiling.cut[rank];
            const around = middle ? (cut?.outer ?? 1) * (cut?.middle ?? 1) : 1;
            return product * around * (inner && !place.over.includes(rank) ? (cut?.inner ?? 1) : 1);
          }, 1);
          return Math.min(best, turns);
        }, Number.POSITIVE_INFINITY);
      known.set(key, least);
      total += least;
    }
    return total;
  };
}
