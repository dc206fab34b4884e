import type { MappedEinsum } from "../../src/emulator/observe-nest.js";

/** A tensor whose places are sums of ranks' coordinates, each times a stride. */
export interface WindowedTensor {
  readonly places: readonly (readonly { readonly rank: number; readonly stride: number }[])[];
  /** The levels that keep it, outermost first. */
  readonly kept: readonly number[];
}

/** What one memory holds. */
interface Held {
  tile: string;
  /** The unit of work, where work is dealt to instances outside the level: it began with an empty memory. */
  unit: string;
  /** Where the tile begins, and the step by which it came; empty: by none. */
  start: readonly number[];
  step: string;
  words: Set<string>;
  /** What it finds at hand of the tile before. */
  before: Set<string>;
}

interface Words {
  reads: number;
  fills: number;
}

/**
 * A walk of all loops of a nest for a tensor that is read, word by word. A memory holds one tile; of the next one it has
 * what both share where the tile came by the step of the one before, by none, or stands still; else nothing. Where memories
 * ask a level, those of one fan-out whose tiles begin at the same word are one.
 */
export function walkWindows(
  { levels, ranks, loops, spread }: Pick<MappedEinsum, "levels" | "ranks" | "loops" | "spread">,
  { places, kept }: WindowedTensor,
  instances: "all" | "one",
): Readonly<Record<number, Words>> {
  const isSpatial = loops.map(({ level }) => levels[level]?.instances !== undefined);
  const chunk = loops.map(({ rank, part }) =>
    (ranks[rank]?.bounds ?? []).slice(part + 1).reduce((product, bound) => product * bound, 1),
  );
  const order = [...loops.keys()].sort((a, b) => Number(isSpatial[a]) - Number(isSpatial[b]) || a - b);
  const index = loops.map(() => 0);
  const point = ranks.map(() => 0);
  const held = new Map<string, Held>();
  const counts: Record<number, Words> = Object.fromEntries(kept.map(level => [level, { reads: 0, fills: 0 }]));
  const own = new Set(places.flat().map(({ rank }) => rank));
  const wordAt = (coordinates: readonly number[]): readonly number[] =>
    places.map(place => place.reduce((sum, { rank, stride }) => sum + stride * (coordinates[rank] ?? 0), 0));
  /** Coordinates that only the loops with a property have. */
  const coordinatesOf = (has: (loop: number) => boolean): readonly number[] =>
    ranks.map((_, rank) =>
      loops.reduce((sum, loop, i) => (loop.rank === rank && has(i) ? sum + (index[i] ?? 0) * (chunk[i] ?? 1) : sum), 0),
    );
  const indicesOf = (has: (loop: number) => boolean): string =>
    [...loops.keys()]
      .filter(has)
      .map(i => index[i])
      .join();
  const isAround =
    (level: number) =>
    (i: number): boolean =>
      isSpatial[i] === true && (loops[i]?.level ?? 0) < level;
  /** Whether a memory has to fetch a word that a point wants, at the iterations of the loops in time outside it. */
  const fetches = (memory: string, level: number, word: string): boolean => {
    const tile = indicesOf(
      i => isSpatial[i] === false && (loops[i]?.level ?? 0) < level && own.has(loops[i]?.rank ?? -1),
    );
    const unit = indicesOf(i => spread !== undefined && spread.level < level && spread.loops.includes(i));
    let holds = held.get(memory);
    if (holds?.unit !== unit) holds = undefined;
    if (holds?.tile !== tile) {
      const start = wordAt(point);
      const shift = start.map((at, place) => at - (holds?.start[place] ?? at));
      const stands = shift.every(by => by === 0);
      const goesOn = holds === undefined || stands || holds.step === "" || holds.step === shift.join();
      const step = stands ? (holds?.step ?? "") : goesOn ? shift.join() : "";
      holds = { tile, unit, start, step, words: new Set(), before: goesOn ? (holds?.words ?? new Set()) : new Set() };
      held.set(memory, holds);
    }
    if (holds.words.has(word)) return false;
    holds.words.add(word);
    return !holds.before.has(word);
  };
  /** Where the instances of each fan-out begin, of those outside a level and within another. */
  const beginsOf = (outside: (loop: number) => boolean, within: (loop: number) => boolean): string =>
    levels
      .map((_, level) => wordAt(coordinatesOf(i => loops[i]?.level === level && outside(i) && !within(i))).join())
      .join(" ");
  let asked = new Set<string>();
  const atPoint = (): void => {
    const word = wordAt(point).join();
    kept.forEach((level, k) => {
      const around = isAround(level);
      if (instances === "one" && /[1-9]/.test(indicesOf(around))) return;
      const count = counts[level] as Words;
      if (k > 0 && fetches(`into ${level} ${indicesOf(around)}`, level, word)) count.fills += 1;
      const next = kept[k + 1];
      if (next === undefined) {
        const request = `${level} ${indicesOf(around)} ${beginsOf(i => isSpatial[i] === true, around)}`;
        if (!asked.has(request)) count.reads += 1;
        asked.add(request);
        return;
      }
      const begins = beginsOf(isAround(next), around);
      if (fetches(`out of ${level} ${indicesOf(around)} to ${begins}`, next, word)) count.reads += 1;
    });
  };
  const iterate = (depth: number, end: number, then: () => void): void => {
    if (depth === end) {
      then();
      return;
    }
    const loop = order[depth] as number;
    const { rank, part } = loops[loop] as MappedEinsum["loops"][number];
    const { size, bounds } = ranks[rank] as MappedEinsum["ranks"][number];
    const before = point[rank] as number;
    const iterations = part === 0 ? Number.POSITIVE_INFINITY : (bounds[part] as number);
    for (let i = 0; i < iterations && before + i * (chunk[loop] as number) < size; i += 1) {
      index[loop] = i;
      point[rank] = before + i * (chunk[loop] as number);
      iterate(depth + 1, end, then);
    }
    index[loop] = 0;
    point[rank] = before;
  };
  const inTime = isSpatial.filter(spatial => !spatial).length;
  iterate(0, inTime, () => {
    asked = new Set();
    iterate(inTime, loops.length, atPoint);
  });
  return counts;
}
