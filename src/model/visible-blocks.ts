import type { RowBits, SequenceClass } from "../attention/sequences.js";
import { endOfSeen, firstSeen, isPlainWindow } from "../attention/window.js";
import type { Grain, VisibleRegion } from "./region.js";

/*
 * What visible-region.ts has closed forms for, block by block: masks of which no closed form is known, patterns beside a
 * window and bits. A block of rows sees one interval of keys, or any.
 */

/** Whether counts have closed forms. */
export const isClosedForm = (region: VisibleRegion, sequence: SequenceClass): boolean =>
  sequence.bits === undefined && isPlainWindow(region, sequence);

/** Gives the tiles of `keys` keys that a block of rows sees, ascending, until `visit` returns false; 0: whether it sees any key, as tile 0. */
export type TilesOf = (block: number, keys: number, visit: (tile: number) => boolean) => void;

interface Blocks {
  readonly count: number;
  readonly step: number;
  readonly rows: number;
  readonly tilesOf: TilesOf;
  /** How many tiles a block sees. */
  readonly tilesSeen: (block: number, keys: number) => number;
}

/** The tiles that blocks of so many rows see. */
export const tilesOfRows = (region: VisibleRegion, sequence: SequenceClass, rowsAtOnce: number): TilesOf =>
  blocksOf(region, sequence, rowsAtOnce).tilesOf;

function blocksOf(region: VisibleRegion, sequence: SequenceClass, rowsAtOnce: number): Blocks {
  const rows = sequence.queries * region.group;
  const step = rowsAtOnce === 0 ? Math.max(1, rows) : rowsAtOnce;
  const count = sequence.keys === 0 ? 0 : Math.ceil(rows / step);
  const seen = sequence.bits === undefined ? intervals : planes;
  return { count, step, rows, ...seen(region, sequence, rows, step) };
}

/** Rows next to each other see keys next to each other. */
function intervals(
  region: VisibleRegion,
  sequence: SequenceClass,
  rows: number,
  step: number,
): Pick<Blocks, "tilesOf" | "tilesSeen"> {
  const queryOf = (row: number): number => Math.floor(row / region.group);
  const from = (block: number): number => firstSeen(region, sequence, queryOf(block * step));
  const to = (block: number): number => endOfSeen(region, sequence, queryOf(Math.min(rows, (block + 1) * step) - 1));
  return {
    tilesOf: (block, keys, visit) => {
      const [begin, end] = [from(block), to(block)];
      if (begin >= end) return;
      if (keys === 0) visit(0);
      else for (let tile = Math.floor(begin / keys); tile * keys < end && visit(tile); tile += 1);
    },
    tilesSeen: (block, keys) => {
      const [begin, end] = [from(block), to(block)];
      if (begin >= end) return 0;
      return keys === 0 ? 1 : Math.ceil(end / keys) - Math.floor(begin / keys);
    },
  };
}

/** What is kept of a mask of bits: sums over it are asked for again and again, by every Einsum of every design. */
interface KnownBits {
  /** The bits of each block, by its number of rows. */
  readonly blocks: Map<string, Uint32Array>;
  readonly sums: Map<string, number>;
}

const known = new WeakMap<RowBits, KnownBits>();
/** Words of single rows that are kept: 128 MiB. */
const mostWordsKept = 2 ** 25;

function knownOf(bits: RowBits): KnownBits {
  const made = known.get(bits) ?? { blocks: new Map<string, Uint32Array>(), sums: new Map<string, number>() };
  known.set(bits, made);
  return made;
}

/** A sum over the blocks of a sequence, once for each mask of bits. */
function summed(
  { group }: VisibleRegion,
  { bits, queries, keys }: SequenceClass,
  what: string,
  sum: () => number,
): number {
  if (bits === undefined) return sum();
  const { sums } = knownOf(bits);
  const name = `${group} ${queries} ${keys} ${what}`;
  const before = sums.get(name);
  if (before !== undefined) return before;
  const found = sum();
  sums.set(name, found);
  return found;
}

/** What the rows of each block see together, as words of bits; `words` a block. */
export function bitsOfBlocks(bits: RowBits, group: number, rows: number, step: number, words: number): Uint32Array {
  const { blocks } = knownOf(bits);
  const name = `${group} ${rows} ${step} ${words}`;
  const before = blocks.get(name);
  if (before !== undefined) return before;
  const together = new Uint32Array(words * Math.ceil(rows / step));
  // Of larger blocks, what single rows see is put together, as long as there is room for all of it.
  const finer = step > 1 && rows * words <= mostWordsKept ? bitsOfBlocks(bits, group, rows, 1, words) : undefined;
  for (let row = 0; row < rows; row += 1) {
    const at = Math.floor(row / step) * words;
    for (let w = 0; w < words; w += 1) {
      (together[at + w] as number) |=
        finer === undefined ? bits.word(row, w, group) : (finer[row * words + w] as number);
    }
  }
  blocks.set(name, together);
  return together;
}

function planes(
  { group }: VisibleRegion,
  sequence: SequenceClass,
  rows: number,
  step: number,
): Pick<Blocks, "tilesOf" | "tilesSeen"> {
  const { bits, keys: M } = sequence;
  const words = Math.ceil(M / 32);
  if (bits === undefined) throw new Error("a sequence without bits");
  const together = bitsOfBlocks(bits, group, rows, step, words);
  const tilesOf: TilesOf = (block, keys, visit) => {
    // Bits below this one are of tiles that were seen.
    let next = 0;
    for (let w = 0; w < words; w += 1) {
      let word = together[block * words + w] as number;
      while (word !== 0) {
        if (next >= 32 * (w + 1)) break;
        if (next > 32 * w) word &= ~((1 << (next - 32 * w)) - 1);
        if (word === 0) break;
        if (keys === 0) {
          visit(0);
          return;
        }
        const key = 32 * w + 31 - Math.clz32(word & -word);
        const tile = Math.floor(key / keys);
        if (!visit(tile)) return;
        next = (tile + 1) * keys;
      }
    }
  };
  const tilesSeen = (block: number, keys: number): number => {
    let sum = 0;
    tilesOf(block, keys, () => {
      sum += 1;
      return true;
    });
    return sum;
  };
  return { tilesOf, tilesSeen };
}

/** Blocks by tiles in which a score exists. */
export function blocksTouched(region: VisibleRegion, sequence: SequenceClass, { rows, keys }: Grain): number {
  return summed(region, sequence, `touched ${rows} ${keys}`, () => {
    const { count, tilesSeen } = blocksOf(region, sequence, rows);
    let sum = 0;
    for (let block = 0; block < count; block += 1) sum += tilesSeen(block, keys);
    return sum;
  });
}

/** The same where tiles `most` apart are one. */
export function blocksTouchedUpTo(
  region: VisibleRegion,
  sequence: SequenceClass,
  { rows, keys }: Grain,
  most: number,
): number {
  return summed(region, sequence, `up to ${rows} ${keys} ${most}`, () => {
    const { count, tilesOf, tilesSeen } = blocksOf(region, sequence, rows);
    let sum = 0;
    for (let block = 0; block < count; block += 1) {
      // Tiles side by side are in one place only where they are `most` apart.
      if (sequence.bits === undefined) {
        sum += Math.min(most, tilesSeen(block, keys));
        continue;
      }
      const places = new Set<number>();
      tilesOf(block, keys, tile => {
        places.add(tile % most);
        return places.size < most;
      });
      sum += places.size;
    }
    return sum;
  });
}

/** What the touched tiles hold, masked or not: rows (or 1 per block) times keys (or 1 per tile). */
export function withinBlocksTouched(
  region: VisibleRegion,
  sequence: SequenceClass,
  { rows: rowsAtOnce, keys }: Grain,
  counted: { readonly rows: boolean; readonly keys: boolean },
): number {
  return summed(region, sequence, `within ${rowsAtOnce} ${keys} ${counted.rows} ${counted.keys}`, () => {
    const { count, step, rows, tilesOf } = blocksOf(region, sequence, rowsAtOnce);
    let sum = 0;
    for (let block = 0; block < count; block += 1) {
      let held = 0;
      tilesOf(block, keys, tile => {
        held += counted.keys && keys > 0 ? Math.min(keys, sequence.keys - tile * keys) : 1;
        return true;
      });
      sum += held * (counted.rows ? Math.min(step, rows - block * step) : 1);
    }
    return sum;
  });
}
