import { blockOf, type Cut, type Glance, outsideOf, wordBytes, wordsRead } from "./block-words.js";
import type { OptionLibrary } from "./option.js";
import { partsInTime } from "./place.js";
import type { MapperProblem } from "./problem.js";
import { sharedGlance } from "./shared-glance.js";
import type { TilingSpace } from "./tiling-space.js";

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
 * bound.
 */
export function promisingOf(
  problem: MapperProblem,
  library: OptionLibrary,
  { from, to }: { readonly from: number; readonly to: number },
  space: TilingSpace,
  most: number,
): readonly number[] {
  if (space.count <= most) return [...space.numbers()];
  const glance = sharedGlance(problem, library, from, to, space) ?? plainGlance(problem, library, from, to, space);
  let looks: Look[] = [];
  // The last of those that are kept: others have to look better.
  let last: Look | undefined;
  for (const { number, digits, cut } of space.eachCut(glance.allowed)) {
    const fits = glance.fits(cut);
    if (last?.fits === true && !fits) continue;
    const working = glance.seconds(digits, cut);
    if (last !== undefined && last.fits === fits && working > last.seconds) continue;
    for (const [outer, order] of space.orders(cut).outer.entries()) {
      const { bytes, seconds } = glance.traffic(order, cut);
      const look = { cut: number, outer, fits, bytes, seconds: Math.max(working, seconds) };
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

/**
 * Steps of the arrays as if each operation took one cycle, and what comes from outside once per block that asks for it, where blocks of
 * all that fit the buffer together.
 */
function plainGlance(
  problem: MapperProblem,
  library: OptionLibrary,
  from: number,
  to: number,
  space: TilingSpace,
): Glance {
  const { compiled, values, dram } = problem;
  const largest = Math.max(...problem.capacities.values());
  const frequencyHz = compiled.frequencyHz(values);
  const bytesPerSecond = compiled.levels.get(dram)?.fields.get("bytesPerSecond")?.(values) ?? Number.POSITIVE_INFINITY;
  const outside = outsideOf(problem, from, to);
  const steps = stepsOf(problem, library, from, to, space);
  return {
    allowed: undefined,
    fits(cut) {
      const held = outside.reduce((sum, ranks) => sum + wordBytes * ranks.reduce((n, r) => n * blockOf(cut, r), 1), 0);
      return 2 * held <= largest;
    },
    seconds: (digits, cut) => steps(digits, cut) / frequencyHz,
    traffic(order, cut) {
      const bytes = outside.reduce((sum, ranks) => sum + wordBytes * wordsRead(order, cut, ranks), 0);
      return { bytes, seconds: bytes / bytesPerSecond };
    },
  };
}

const better = (a: Look, b: Look): number =>
  Number(b.fits) - Number(a.fits) || a.seconds - b.seconds || a.bytes - b.bytes || a.cut - b.cut || a.outer - b.outer;

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
