import type { Load } from "./dataflows.js";
import { type Block, firstOver } from "./walk.js";

/** A tile that is loaded: its key tile (of queries, the one with which they are first used), and its query tile in the block. */
export interface LoadedTile {
  readonly m1: number;
  readonly p: number;
}

/** How many tiles a block loads of a tensor. */
export function loadsIn(block: Block, by: Load["by"]): number {
  const { begin, end, from, heads, seen } = block;
  switch (by) {
    case "keys":
      return seen === undefined ? end - begin : keyTilesOf(block).length;
    case "queries":
      return (seen === undefined ? from.length : queryTilesOf(block).length) * heads;
    default:
      return tilesUpTo(block).at(-1) as number;
  }
}

/**
 * The tile of a block's load by its number: key tiles in order; query tiles in the order of the key tiles from which they are
 * used, and of one key tile head by head; tiles of scores as they are walked.
 */
export function loadAt(block: Block, by: Load["by"], index: number): LoadedTile {
  const { begin, seen, from, to, heads } = block;
  if (by === "keys") return { m1: seen === undefined ? begin + index : (keyTilesOf(block)[index] as number), p: 0 };
  if (by === "queries") {
    const order = seen === undefined ? undefined : queryTilesOf(block);
    const firsts = order === undefined ? from : Float64Array.from(order, p => from[p] as number);
    const m1 = firsts[Math.floor(index / heads)] as number;
    const begins = firstOver(firsts, m1 - 1);
    const place = begins + ((index - begins * heads) % (firstOver(firsts, m1) - begins));
    return { m1, p: order === undefined ? place : (order[place] as number) };
  }
  const before = tilesUpTo(block);
  const at = firstOver(before, index) - 1;
  const m1 = begin + at;
  const inRow = index - (before[at] as number);
  const row = seen?.row(m1);
  if (row !== undefined) return { m1, p: row[inRow % row.length] as number };
  const low = firstOver(to, m1);
  return { m1, p: low + (inRow % (firstOver(from, m1) - low)) };
}

/** What is worked out of a block once. */
const once = <T>(make: (block: Block) => T): ((block: Block) => T) => {
  const known = new WeakMap<Block, { readonly value: T }>();
  return block => {
    const made = known.get(block) ?? { value: make(block) };
    known.set(block, made);
    return made.value;
  };
};

/** The key tiles that some query tile sees. */
const keyTilesOf = once(({ begin, end, seen }): readonly number[] =>
  Array.from({ length: end - begin }, (_, i) => begin + i).filter(m1 => (seen?.row(m1).length ?? 0) > 0),
);

/** The query tiles that see something, by the key tile that they see first. */
const queryTilesOf = once(({ from, to }): readonly number[] =>
  Array.from(from, (_, p) => p)
    .filter(p => (from[p] as number) < (to[p] as number))
    .sort((a, b) => (from[a] as number) - (from[b] as number) || a - b),
);

/** Tiles of a block before each of its key tiles, and all of them at the end. */
const tilesUpTo = once((block): Float64Array => {
  const { from, to, heads, begin, end, seen } = block;
  if (seen !== undefined) return seen.before.map(tiles => tiles * heads);
  const before = new Float64Array(end - begin + 1);
  for (let m1 = begin; m1 < end; m1++) {
    before[m1 - begin + 1] = (before[m1 - begin] as number) + (firstOver(from, m1) - firstOver(to, m1)) * heads;
  }
  return before;
});
