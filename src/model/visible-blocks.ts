import type { SequenceClass } from "../attention/sequences.js";
import { endOfSeen, firstSeen, isPlainWindow } from "../attention/window.js";
import type { Grain, VisibleRegion } from "./region.js";

/*
 * What visible-region.ts has closed forms for, block by block: masks of which no closed form is known, patterns beside a
 * window and bits. A block of rows sees one interval of keys, or any.
 */

/** Whether counts have closed forms. */
export const isClosedForm = (region: VisibleRegion, sequence: SequenceClass): boolean =>
  sequence.bits === undefined && isPlainWindow(region, sequence);

/** The tiles of `keys` keys that a block of rows sees, ascending; 0: whether it sees any key, as tile 0. */
type TilesOf = (block: number, keys: number) => Iterable<number>;

interface Blocks {
  readonly count: number;
  readonly step: number;
  readonly rows: number;
  readonly tilesOf: TilesOf;
}

function blocksOf(region: VisibleRegion, sequence: SequenceClass, rowsAtOnce: number): Blocks {
  const rows = sequence.queries * region.group;
  const step = rowsAtOnce === 0 ? Math.max(1, rows) : rowsAtOnce;
  const count = sequence.keys === 0 ? 0 : Math.ceil(rows / step);
  const tilesOf =
    sequence.bits === undefined ? intervals(region, sequence, rows, step) : planes(region, sequence, rows, step);
  return { count, step, rows, tilesOf };
}

/** Rows next to each other see keys next to each other. */
function intervals(region: VisibleRegion, sequence: SequenceClass, rows: number, step: number): TilesOf {
  const queryOf = (row: number): number => Math.floor(row / region.group);
  return function* (block, keys) {
    const from = firstSeen(region, sequence, queryOf(block * step));
    const to = endOfSeen(region, sequence, queryOf(Math.min(rows, (block + 1) * step) - 1));
    if (from >= to) return;
    if (keys === 0) yield 0;
    else for (let tile = Math.floor(from / keys); tile * keys < to; tile += 1) yield tile;
  };
}

/** The bits of each block, by its number of rows: sums over one mask ask for the same again and again. */
const known = new WeakMap<object, Map<string, Uint32Array>>();

function planes({ group }: VisibleRegion, sequence: SequenceClass, rows: number, step: number): TilesOf {
  const { bits, keys: M } = sequence;
  const words = Math.ceil(M / 32);
  if (bits === undefined) throw new Error("a sequence without bits");
  const bySteps = known.get(bits) ?? new Map<string, Uint32Array>();
  known.set(bits, bySteps);
  const name = `${group} ${step}`;
  const together = bySteps.get(name) ?? new Uint32Array(words * Math.ceil(rows / step));
  if (!bySteps.has(name)) {
    for (let row = 0; row < rows; row += 1) {
      const at = Math.floor(row / step) * words;
      for (let w = 0; w < words; w += 1) (together[at + w] as number) |= bits.word(row, w, group);
    }
    bySteps.set(name, together);
  }
  return function* (block, keys) {
    let last = -1;
    for (let w = 0; w < words; w += 1) {
      const word = together[block * words + w] as number;
      if (word === 0) continue;
      if (keys === 0) {
        yield 0;
        return;
      }
      for (let bit = 0; bit < 32; bit += 1) {
        const tile = Math.floor((32 * w + bit) / keys);
        if (((word >>> bit) & 1) === 0 || tile === last) continue;
        last = tile;
        yield tile;
      }
    }
  };
}

/** Blocks by tiles in which a score exists. */
export function blocksTouched(region: VisibleRegion, sequence: SequenceClass, { rows, keys }: Grain): number {
  const { count, tilesOf } = blocksOf(region, sequence, rows);
  let sum = 0;
  for (let block = 0; block < count; block += 1) for (const _ of tilesOf(block, keys)) sum += 1;
  return sum;
}

/** The same where tiles `most` apart are one. */
export function blocksTouchedUpTo(
  region: VisibleRegion,
  sequence: SequenceClass,
  { rows, keys }: Grain,
  most: number,
): number {
  const { count, tilesOf } = blocksOf(region, sequence, rows);
  let sum = 0;
  for (let block = 0; block < count; block += 1) {
    const places = new Set<number>();
    for (const tile of tilesOf(block, keys)) {
      places.add(tile % most);
      if (places.size === most) break;
    }
    sum += places.size;
  }
  return sum;
}

/** What the touched tiles hold, masked or not: rows (or 1 a block) times keys (or 1 a tile). */
export function withinBlocksTouched(
  region: VisibleRegion,
  sequence: SequenceClass,
  { rows: rowsAtOnce, keys }: Grain,
  counted: { readonly rows: boolean; readonly keys: boolean },
): number {
  const { count, step, rows, tilesOf } = blocksOf(region, sequence, rowsAtOnce);
  let sum = 0;
  for (let block = 0; block < count; block += 1) {
    let held = 0;
    for (const tile of tilesOf(block, keys)) {
      held += counted.keys && keys > 0 ? Math.min(keys, sequence.keys - tile * keys) : 1;
    }
    sum += held * (counted.rows ? Math.min(step, rows - block * step) : 1);
  }
  return sum;
}
