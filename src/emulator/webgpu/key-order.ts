import type { KeyRange } from "../../attention/key-range.js";
import { sequenceOf } from "../../attention/mask.js";
import type { AttentionProblem } from "../../attention/problem.js";

/**
 * Where the keys of a head are on the device: in the order in which they are read, in whole tiles. In descending order a
 * sequence ends with key 0, and what its first tile has no keys for is at the beginning.
 */
export interface KeyOrder {
  /** Places of a head. */
  readonly places: number;
  readonly descending: boolean;
  /** The place of a batch's first key to be read. */
  firstPlace(b: number): number;
  /** The key at a place of a batch, or the place of a key; it may not exist. */
  swapped(b: number, at: number): number;
  /** The places of a range of keys. */
  placesOf(b: number, keys: KeyRange): KeyRange;
}

/** The order of a problem's keys, with the tiles in which they are walked. */
export function keyOrder(problem: AttentionProblem, descending: boolean): KeyOrder {
  const { shape, tile } = problem;
  if (!descending) {
    const same = (_: number, at: number): number => at;
    return { places: shape.keys, descending, firstPlace: () => 0, swapped: same, placesOf: (_, keys) => keys };
  }
  const inTiles = (keys: number): number => Math.ceil(keys / tile.m0) * tile.m0;
  const keysOf = Array.from({ length: shape.batch }, (_, b) => sequenceOf(problem, b).keys);
  const placesOf = (b: number): number => inTiles(keysOf[b] ?? shape.keys);
  return {
    places: inTiles(shape.keys),
    descending,
    firstPlace: b => placesOf(b) - (keysOf[b] ?? shape.keys),
    swapped: (b, at) => placesOf(b) - 1 - at,
    placesOf: (b, { from, to }) => (from >= to ? { from, to } : { from: placesOf(b) - to, to: placesOf(b) - from }),
  };
}
