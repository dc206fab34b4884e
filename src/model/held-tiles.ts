import { ones } from "../attention/bit-plane.js";

// What a memory holds and fetches in a stretch of visits, for src/model/masked-visits.ts.

/** Words of a tile, as intervals of their numbers, in order; each stands for `dense` words along ranks that no mask couples. */
export interface Held {
  readonly tile: number;
  readonly words: readonly Interval[];
  readonly dense: number;
}
export type Interval = readonly [from: number, to: number];

/** What a memory fetches in a stretch of visits, from empty; runs are visits in a row with one tile. */
export interface Stretch {
  readonly words: number;
  readonly first: Held;
  readonly last: Held;
  readonly single: boolean;
}

export const moved = (stretch: Stretch | undefined, by: number): Stretch | undefined =>
  stretch === undefined || by === 0
    ? stretch
    : {
        ...stretch,
        first: { ...stretch.first, tile: stretch.first.tile + by },
        last: { ...stretch.last, tile: stretch.last.tile + by },
      };

/** The same stretch `times` in a row, `stride` tiles apart. */
export function repeated(one: Stretch | undefined, times: number, stride: number): Stretch | undefined {
  if (one === undefined || times === 1) return one;
  const goesOn = one.last.tile === one.first.tile + stride;
  const kept = goesOn ? common(one.last, one.first) : 0;
  return {
    words: one.words * times - (times - 1) * kept,
    first: one.first,
    last: { ...one.last, tile: one.last.tile + (times - 1) * stride },
    single: one.single && goesOn,
  };
}

export function joined(before: Stretch | undefined, after: Stretch | undefined): Stretch | undefined {
  if (before === undefined || after === undefined) return before ?? after;
  const goesOn = before.last.tile === after.first.tile;
  const run = (): Held => ({
    tile: after.first.tile,
    words: union(before.last.words, after.first.words),
    dense: Math.max(before.last.dense, after.first.dense),
  });
  return {
    words: before.words + after.words - (goesOn ? common(before.last, after.first) : 0),
    first: goesOn && before.single ? run() : before.first,
    last: goesOn && after.single ? run() : after.last,
    single: goesOn && before.single && after.single,
  };
}

const common = (a: Held, b: Held): number =>
  (lengthOf(a.words) + lengthOf(b.words) - lengthOf(union(a.words, b.words))) * Math.min(a.dense, b.dense);

export const lengthOf = (intervals: readonly Interval[]): number =>
  intervals.reduce((sum, [from, to]) => sum + to - from, 0);

export function union(a: readonly Interval[], b: readonly Interval[]): readonly Interval[] {
  const merged: [number, number][] = [];
  for (const [from, to] of [...a, ...b].sort((x, y) => x[0] - y[0])) {
    const last = merged.at(-1);
    if (last !== undefined && from <= last[1]) last[1] = Math.max(last[1], to);
    else merged.push([from, to]);
  }
  return merged;
}

/** The runs of set bits from <= m < to, of words that begin at `at`. */
export function intervalsOf(words: Uint32Array, at: number, from: number, to: number): readonly Interval[] {
  const found: [number, number][] = [];
  for (let w = from >>> 5; 32 * w < to; w += 1) {
    const base = 32 * w;
    let word = (words[at + w] as number) & ones(Math.max(0, from - base), Math.min(32, to - base));
    while (word !== 0) {
      const low = 31 - Math.clz32(word & -word);
      // The first bit above it that is not set.
      const above = ~(word >> low);
      const length = above === 0 ? 32 - low : 31 - Math.clz32(above & -above);
      const last = found.at(-1);
      if (last !== undefined && last[1] === base + low) last[1] = base + low + length;
      else found.push([base + low, base + low + length]);
      word &= ~ones(0, low + length);
    }
  }
  return found;
}
