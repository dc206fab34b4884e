import type { SweepPoint } from "../../model/sweep.js";
import type { PointRange, PointStore as Store, Block as StoredBlock } from "../journal.js";

export type { PointRange } from "../journal.js";
export type Block = StoredBlock<SweepPoint>;
export type PointStore = Store<SweepPoint>;

/** Points in memory, as text: objects would take four times the room. */
export function memoryPoints(): PointStore {
  const kept: { readonly from: number; readonly to: number; readonly json: string }[] = [];
  const ordered = () => kept.sort((a, b) => a.from - b.from);
  return {
    get finished() {
      return ordered();
    },
    append: ({ from, points }) => void kept.push({ from, to: from + points.length, json: JSON.stringify(points) }),
    *blocks() {
      for (const { from, json } of ordered()) yield { from, points: JSON.parse(json) as readonly SweepPoint[] };
    },
  };
}

/** The parts of `wanted` that are not among `finished`, cut into pieces of at most `most` points; both ascend. */
export function* unfinished(
  wanted: Iterable<PointRange>,
  finished: readonly PointRange[],
  most: number,
): Generator<PointRange> {
  let next = 0;
  for (const { from, to } of wanted) {
    for (let at = from; at < to; ) {
      while (next < finished.length && (finished[next] as PointRange).to <= at) next += 1;
      const done = finished[next];
      if (done !== undefined && done.from <= at) {
        at = done.to;
        continue;
      }
      const end = Math.min(to, at + most, done?.from ?? to);
      yield { from: at, to: end };
      at = end;
    }
  }
}

export const countPoints = (ranges: Iterable<PointRange>): number => {
  let points = 0;
  for (const { from, to } of ranges) points += to - from;
  return points;
};
