import type { SequenceClass } from "../attention/sequences.js";
import { endOfSeen, firstSeen, placeAmongKeys } from "../attention/window.js";
import type { Grain, VisibleRegion } from "./region.js";
import { blocksTouched, blocksTouchedUpTo, isClosedForm, withinBlocksTouched } from "./visible-blocks.js";

/*
 * Which scores exist, and how many tuples of loop indices they reach. A score of row r and key m exists when the row's
 * query sees the key; a loop iterates only where a score exists, so that tiles that are masked as a whole cost nothing.
 *
 * Rows are queries times the query heads that are side by side, query by query: row r belongs to query floor(r / group).
 * Both ends of what a row sees (attention/window.ts) never fall from one row to the next, so a block of rows sees one
 * interval of keys, and sums over blocks have a closed form, exact for sizes that divide nothing. Of other masks
 * (visible-blocks.ts) they are made block by block.
 */

/** Blocks of `rows` rows by tiles of `keys` keys in which a score exists. */
export function touched(region: VisibleRegion, sequence: SequenceClass, grain: Grain): number {
  if (!isClosedForm(region, sequence)) return blocksTouched(region, sequence, grain);
  const { rows, keys } = grain;
  const blocks = blocksOf(region, sequence, rows);
  return keys === 0 ? blocks.count - blocks.firstSeeing : tilesOf(blocks, keys);
}

const tilesOf = ({ tilesBefore, tilesHidden, firstSeeing, count }: Blocks, keys: number): number =>
  tilesBefore(keys, firstSeeing, count) - tilesHidden(keys, firstSeeing, count);

/** The same with at most `most` tiles counted for each block: tiles that are in one place of the array count once. */
export function touchedUpTo(region: VisibleRegion, sequence: SequenceClass, grain: Grain, most: number): number {
  if (!isClosedForm(region, sequence)) return blocksTouchedUpTo(region, sequence, grain, most);
  const { keys } = grain;
  const blocks = blocksOf(region, sequence, grain.rows);
  const { count, firstSeeing, firstHiding, firstFull } = blocks;
  const tiles = (j: number): number => Math.ceil(blocks.to(j) / keys) - Math.floor(blocks.from(j) / keys);
  const sum = (begin: number, end: number): number => {
    let total = 0;
    for (let j = begin; j < end; j++) total += Math.min(most, tiles(j));
    return total;
  };
  const all = (begin: number, end: number): number =>
    blocks.tilesBefore(keys, begin, end) - blocks.tilesHidden(keys, begin, end);
  // What is seen grows while nothing is hidden on the left, and shrinks once it reaches the last key; between the two it
  // repeats itself.
  const grown = Math.max(firstSeeing, firstHiding);
  const enough = firstSeeing + firstOf(grown - firstSeeing, i => tiles(firstSeeing + i) >= most);
  const shrinking = Math.max(grown, firstFull);
  const little = shrinking + firstOf(count - shrinking, i => tiles(shrinking + i) < most);
  const period = blocks.period(keys);
  const times = Math.floor((shrinking - grown) / period);
  return (
    all(firstSeeing, enough) +
    (grown - enough) * most +
    times * (times > 0 ? sum(grown, grown + period) : 0) +
    sum(grown + times * period, shrinking) +
    (little - shrinking) * most +
    all(little, count)
  );
}

/**
 * What the touched tiles hold, masked or not: rows that exist times keys that exist (`rows`, `keys`: whether rows and
 * keys are counted, else blocks and tiles).
 */
export function withinTouched(
  region: VisibleRegion,
  sequence: SequenceClass,
  grain: Grain,
  count: { readonly rows: boolean; readonly keys: boolean },
): number {
  if (!isClosedForm(region, sequence)) return withinBlocksTouched(region, sequence, grain, count);
  const blocks = blocksOf(region, sequence, grain.rows);
  if (blocks.count === blocks.firstSeeing) return 0;
  const step = Math.max(1, grain.keys);
  const lastTile = Math.floor((sequence.keys - 1) / step);
  const missingKeys = (lastTile + 1) * step - sequence.keys;
  // Of one block: all its tiles, the last one partial.
  const held = (tiles: number, reachLast: number): number =>
    grain.keys === 0 ? reachLast : count.keys ? tiles * step - reachLast * missingKeys : tiles;
  const reaching = grain.keys === 0 ? blocks.count - blocks.firstSeeing : blocks.reaching(lastTile * step);
  const all = held(touched(region, sequence, grain), reaching);
  if (!count.rows) return all;
  const last = blocks.count - 1;
  const lastTiles = Math.ceil(blocks.to(last) / step) - Math.floor(blocks.from(last) / step);
  const rows = sequence.queries * region.group;
  return all * grain.rows - (blocks.count * grain.rows - rows) * held(lastTiles, 1);
}

interface Blocks {
  readonly count: number;
  /** Blocks before this one see nothing. */
  readonly firstSeeing: number;
  /** From this one on the first key is not seen. */
  readonly firstHiding: number;
  /** From this one on the last key is seen. */
  readonly firstFull: number;
  /** What block j sees: keys from <= m < to. */
  from(j: number): number;
  to(j: number): number;
  /** Over blocks that see something: tiles that begin before what is seen ends. */
  tilesBefore(keys: number, begin: number, end: number): number;
  /** Over the same blocks: tiles that end before what is seen begins. */
  tilesHidden(keys: number, begin: number, end: number): number;
  /** After so many blocks both ends of what is seen are in the same places of their tiles, where neither is cut off. */
  period(keys: number): number;
  /** Blocks that see past key `key`. */
  reaching(key: number): number;
}

function blocksOf(region: VisibleRegion, sequence: SequenceClass, rowsAtOnce: number): Blocks {
  const { group, left, right } = region;
  const { queries, keys: M } = sequence;
  const rows = queries * group;
  const step = rowsAtOnce === 0 ? Math.max(1, rows) : rowsAtOnce;
  const count = Math.ceil(rows / step);
  const shift = placeAmongKeys(region, sequence, 0);
  const queryOf = (row: number): number => Math.floor(row / group);
  const from = (j: number): number => firstSeen(region, sequence, queryOf(j * step));
  const to = (j: number): number => endOfSeen(region, sequence, queryOf(Math.min(rows, (j + 1) * step) - 1));
  const firstSeeing = firstOf(count, j => to(j) > 0);
  const firstHiding = firstOf(count, j => from(j) > 0);
  const firstFull = firstOf(count, j => to(j) >= M);
  return {
    count,
    firstSeeing,
    firstHiding,
    firstFull,
    from,
    to,
    tilesBefore(keys, begin, end) {
      // Ends grow with the block until they reach the last key.
      const full = Math.min(end, Math.max(begin, firstFull));
      const offset = step - 1 + begin * step + group * (shift + right + keys);
      return floorSum(full - begin, step, offset, group * keys) + (end - full) * Math.ceil(M / keys);
    },
    tilesHidden(keys, begin, end) {
      const hiding = Math.max(begin, firstHiding);
      const offset = hiding * step + group * (shift - left);
      return hiding >= end ? 0 : floorSum(end - hiding, step, offset, group * keys);
    },
    period: keys => (group * keys) / commonDivisor(step, group * keys),
    reaching: key => count - firstOf(count, j => to(j) > key),
  };
}

const commonDivisor = (a: number, b: number): number => (b === 0 ? a : commonDivisor(b, a % b));

/** The first j in [0, count] from which `holds` is true on; it never becomes false again. */
function firstOf(count: number, holds: (j: number) => boolean): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}

/**
 * The sum over i from 0 to n - 1 of floor((a i + b) / m), for whole a, b >= 0 and m >= 1, by the steps of Euclid's algorithm.
 * Exact while the sum is below 2^53.
 */
export function floorSum(n: number, a: number, b: number, m: number): number {
  let sum = 0;
  let [count, slope, offset, modulus] = [n, a, b, m];
  while (count > 0) {
    sum += triangle(count) * Math.floor(slope / modulus) + count * Math.floor(offset / modulus);
    slope %= modulus;
    offset %= modulus;
    // The points under the line, counted along the other axis.
    const top = slope * count + offset;
    count = Math.floor(top / modulus);
    offset = top % modulus;
    [slope, modulus] = [modulus, slope];
  }
  return sum;
}

/** 0 + 1 + … + (n - 1). */
const triangle = (n: number): number => (n * (n - 1)) / 2;
