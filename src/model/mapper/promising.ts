import type { OptionLibrary } from "./option.js";
import { partsInTime } from "./place.js";
import type { MapperProblem } from "./problem.js";
import type { RankCut } from "./tiling.js";
import type { TilingSpace } from "./tiling-space.js";

type Cut = readonly RankCut[];

/** A way to cut all ranks with an order of the loops over blocks, at a glance. */
interface Look {
  readonly cut: number;
  readonly outer: number;
  readonly fits: boolean;
  readonly bytes: number;
  readonly seconds: number;
}

/**
 * The tilings of the Einsums from `from` to before `to` that look best at a glance, by their numbers, the best first. A guess, no
 * bound: steps of the arrays as if each operation took one cycle, and what comes from outside once per block that asks for it, where
 * blocks of all that fit the buffer together.
 */
export function promisingOf(
  problem: MapperProblem,
  library: OptionLibrary,
  { from, to }: { readonly from: number; readonly to: number },
  space: TilingSpace,
  most: number,
): readonly number[] {
  if (space.count <= most) return [...space.numbers()];
  const { compiled, values, dram } = problem;
  const largest = Math.max(...problem.capacities.values());
  const frequencyHz = compiled.frequencyHz(values);
  const bytesPerSecond = compiled.levels.get(dram)?.fields.get("bytesPerSecond")?.(values) ?? Number.POSITIVE_INFINITY;
  const outside = outsideOf(problem, from, to);
  const steps = stepsOf(problem, library, from, to, space);
  let looks: Look[] = [];
  // The last of those that are kept: others have to look better.
  let last: Look | undefined;
  for (const { number, digits, cut } of space.eachCut()) {
    const held = outside.reduce((sum, ranks) => sum + wordBytes * ranks.reduce((n, r) => n * blockOf(cut, r), 1), 0);
    const fits = 2 * held <= largest;
    if (last?.fits === true && !fits) continue;
    const seconds = steps(digits, cut) / frequencyHz;
    if (last !== undefined && last.fits === fits && seconds > last.seconds) continue;
    for (const [outer, order] of space.orders(cut).outer.entries()) {
      const bytes = outside.reduce((sum, ranks) => sum + wordBytes * wordsRead(order, cut, ranks), 0);
      const look = { cut: number, outer, fits, bytes, seconds: Math.max(seconds, bytes / bytesPerSecond) };
      if (last === undefined || better(look, last) < 0) looks.push(look);
    }
    // Each is one tiling at the least.
    if (looks.length <= 4 * most) continue;
    looks = looks.sort(better).slice(0, most);
    last = looks.at(-1);
  }
  const chosen: number[] = [];
  for (const { cut, outer } of looks.sort(better)) {
    const orders = space.orders(space.cut(space.digits(cut)));
    const first = space.first(cut, outer, orders);
    for (let inner = 0; inner < orders.inner.length && chosen.length < most; inner += 1) chosen.push(first + inner);
    if (chosen.length >= most) break;
  }
  return chosen;
}

const better = (a: Look, b: Look): number =>
  Number(b.fits) - Number(a.fits) || a.seconds - b.seconds || a.bytes - b.bytes || a.cut - b.cut || a.outer - b.outer;

/** Enough to compare tilings by. */
const wordBytes = 2;

const blockOf = (cut: Cut, r: number): number => (cut[r]?.inner ?? 1) * (cut[r]?.middle ?? 1);

/** Words of a tensor that pass DRAM: its blocks once for every iteration of the loops around the innermost one that changes them. */
function wordsRead(order: readonly number[], cut: Cut, ranks: readonly number[]): number {
  const innermost = order.findLastIndex(r => (cut[r]?.outer ?? 1) > 1 && ranks.includes(r));
  let iterations = 1;
  for (let i = 0; i <= innermost; i += 1) iterations *= cut[order[i] as number]?.outer ?? 1;
  return ranks.reduce((words, r) => words * blockOf(cut, r), iterations);
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
    return ranks.flatMap(({ whole, tile }, r) => ([whole, ...tile].some(name => own.includes(name)) ? [r] : []));
  });
}

/** Steps of all Einsums under ways to cut the ranks, each at the place where it has the least; the order of loops changes nothing of it. */
function stepsOf(
  problem: MapperProblem,
  library: OptionLibrary,
  from: number,
  to: number,
  { choices }: TilingSpace,
): (digits: readonly number[], cut: Cut) => number {
  const tables = problem.einsums.slice(from, to).map(({ ranks }, e) => {
    const size = ranks.reduce((product, { rank }) => product * (choices[rank]?.length ?? 1), 1);
    const inTime = library
      .placesOf(from + e)
      .map(({ over }) => ranks.map(({ rank }) => partsInTime(problem, over, rank)));
    return { ranks, e, inTime, known: new Float64Array(size) };
  });
  return (digits, cut) =>
    tables.reduce((total, { ranks, e, inTime, known }) => {
      const key = ranks.reduce((k, { rank }) => k * (choices[rank]?.length ?? 1) + (digits[rank] ?? 0), 0);
      if (known[key] === 0) {
        known[key] = library.suitedTo(from + e, { cut }).reduce((best, p) => {
          const iterations = ranks.reduce((product, { rank, middle, inner }, r) => {
            const own = cut[rank];
            const around = middle ? (own?.outer ?? 1) * (own?.middle ?? 1) : 1;
            const within = inner ? (inTime[p]?.[r] ?? []).reduce((n, part) => n * (own?.tile[part] ?? 1), 1) : 1;
            return product * around * within;
          }, 1);
          return Math.min(best, iterations);
        }, Number.POSITIVE_INFINITY);
      }
      return total + (known[key] as number);
    }, 0);
}
