import { keysOfRow, type SequenceClass } from "../attention/sequences.js";
import { type Interval, union } from "./held-tiles.js";
import type { VisibleRegion } from "./region.js";
import type { Inner } from "./tile-numbering.js";

/** How tiles, and the points that are wanted in them, are numbered along batch, rows and keys. */
export type Sides = readonly [batch: Inner, rows: Inner, keys: Inner];

/** Rows and keys that exist together: of sequences that share a point, those with more rows come first. */
type Steps = readonly { readonly rows: number; readonly keys: number }[];

/**
 * Points in tiles that hold a score, masked or not. What the rows of a tile see is a few stretches of keys, and the points of a
 * tile are its rows times its keys, so that no score is visited by itself.
 */
export function pointsTouched(
  region: VisibleRegion,
  sequences: readonly SequenceClass[],
  tile: Sides,
  point: Sides,
): number {
  // By tile of the batch and by point in it, the sequences that are there.
  const batches = new Map<number, Map<number, Set<SequenceClass>>>();
  sequences.forEach((sequence, b) => {
    const inTile = entryOf(batches, tile[0].number(b), () => new Map<number, Set<SequenceClass>>());
    entryOf(inTile, point[0].number(b), () => new Set<SequenceClass>()).add(sequence);
  });
  const rowPlaces = new Map<number, ReadonlyMap<number, number>>();
  const keyPlaces = new Map<number, ReadonlyMap<number, number>>();
  const rowsIn = (rows: number, own: number): number =>
    entryOf(rowPlaces, rows, () => pointsByTile(rows, tile[1], point[1])).get(own) ?? 0;
  const keysIn = (keys: number, own: number): number =>
    entryOf(keyPlaces, keys, () => pointsByTile(keys, tile[2], point[2])).get(own) ?? 0;
  let points = 0;
  for (const members of batches.values()) {
    const together = [...members.values()];
    const all = [...new Set(together.flatMap(own => [...own]))];
    const steps = together.map(own => stepsOf([...own], region.group));
    for (const [rowTile, seen] of seenByTile(region, all, tile[1])) {
      for (const keyTile of tilesOf(seen, tile[2])) {
        for (const step of steps) {
          step.forEach(({ rows, keys }, i) => {
            points += (rowsIn(rows, rowTile) - rowsIn(step[i + 1]?.rows ?? 0, rowTile)) * keysIn(keys, keyTile);
          });
        }
      }
    }
  }
  return points;
}

function entryOf<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const known = map.get(key) ?? make();
  map.set(key, known);
  return known;
}

/** Sequences of one point as steps: each has the keys of the longest among those with as many rows or more. */
function stepsOf(sequences: readonly SequenceClass[], group: number): Steps {
  let most = 0;
  return sequences
    .map(({ queries, keys }) => ({ rows: queries * group, keys }))
    .sort((a, b) => b.rows - a.rows)
    .map(({ rows, keys }) => {
      most = Math.max(most, keys);
      return { rows, keys: most };
    });
}

/** How many different points the coordinates below `size` have in each tile. */
function pointsByTile(size: number, tile: Inner, point: Inner): ReadonlyMap<number, number> {
  const places = new Map<number, Set<number>>();
  // A side that the nest lacks is one point of one tile.
  const last = tile.most === 1 ? Math.min(1, size) : size;
  for (let i = 0; i < last; i++) {
    entryOf(places, tile.number(i), () => new Set<number>()).add(point.number(i));
  }
  return new Map([...places].map(([own, all]) => [own, all.size]));
}

/** By tile of rows, the keys that some row in it sees. */
function seenByTile(
  region: VisibleRegion,
  sequences: readonly SequenceClass[],
  rows: Inner,
): ReadonlyMap<number, readonly Interval[]> {
  const seen = new Map<number, Interval[]>();
  for (const sequence of sequences) {
    for (let row = 0; row < sequence.queries * region.group; row++) {
      const own = entryOf(seen, rows.number(row), (): Interval[] => []);
      for (const { from, to } of keysOfRow(region, sequence, row, region.group)) own.push([from, to]);
    }
  }
  return new Map([...seen].map(([own, intervals]) => [own, union(intervals, [])]));
}

/** The tiles of keys in such stretches. */
function tilesOf(seen: readonly Interval[], keys: Inner): ReadonlySet<number> {
  const tiles = new Set<number>();
  for (const [from, to] of seen) {
    const end = keys.most === 1 ? Math.min(to, from + 1) : to;
    for (let key = from; key < end; key++) tiles.add(keys.number(key));
  }
  return tiles;
}
