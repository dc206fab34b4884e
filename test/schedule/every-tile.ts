import type { TileWork, WorkSequence } from "../../src/spec/schedule/machine.js";

/** A tile of a walk, found by looking at every score. */
export interface Tile {
  /** Which heads' block of queries it is of, counted over the whole walk, and its number in it. */
  readonly block: number;
  readonly inBlock: number;
  /** Its queries, told from all others: tiles of the same have their running values in common. */
  readonly queries: string;
  readonly head: number;
  readonly m1: number;
  readonly p: number;
  readonly rows: number;
  readonly keys: number;
  /** Of its queries' key tiles, and of the query tiles that share its key tile. */
  readonly first: boolean;
  readonly last: boolean;
  readonly opens: boolean;
  readonly closes: boolean;
}

function seesSome({ group, window, tileRows, tileKeys }: TileWork, own: WorkSequence, p: number, m1: number): boolean {
  const { left, right } = window;
  const { rows, keys, bits } = own;
  for (let row = p * tileRows; row < Math.min(rows, (p + 1) * tileRows); row++) {
    const at = Math.floor(row / group) + keys - rows / group;
    for (let m = m1 * tileKeys; m < Math.min(keys, (m1 + 1) * tileKeys); m++) {
      const isOn = bits === undefined || ((bits.word(row, m >>> 5, group) >>> (m & 31)) & 1) === 1;
      if (isOn && (left < 0 || m >= at - left) && (right < 0 || m <= at + right)) return true;
    }
  }
  return false;
}

/** The tiles of a work in their order: the loops themselves. */
export function everyTile(work: TileWork): readonly Tile[] {
  const { sequences, heads, headTiles, blockTiles, tileRows, tileKeys } = work;
  const found: Tile[] = [];
  let [block, headsBefore] = [0, 0];
  for (const sequence of sequences) {
    const { count, rows, keys } = sequence;
    const [queryTiles, keyTiles] = [Math.ceil(rows / tileRows), Math.ceil(keys / tileKeys)];
    const seen = Array.from({ length: queryTiles }, (_, p) =>
      Array.from({ length: keyTiles }, (_, m1) => m1).filter(m1 => seesSome(work, sequence, p, m1)),
    );
    if (rows === 0 || keys === 0) continue;
    for (let outer = 0; outer < count * heads; outer++) {
      for (const own of headTiles) {
        for (let from = 0; from < queryTiles; from += blockTiles) {
          let inBlock = 0;
          for (let m1 = 0; m1 < keyTiles; m1++) {
            const row: { readonly head: number; readonly p: number }[] = [];
            for (let head = 0; head < own; head++) {
              for (let p = from; p < Math.min(queryTiles, from + blockTiles); p++) {
                if (seen[p]?.includes(m1) === true) row.push({ head: headsBefore + head, p });
              }
            }
            row.forEach(({ head, p }, i) => {
              found.push({
                ...{ block, inBlock: inBlock++, queries: `${head} ${p}`, head, m1, p },
                rows: Math.min(tileRows, rows - p * tileRows),
                keys: Math.min(tileKeys, keys - m1 * tileKeys),
                first: seen[p]?.[0] === m1,
                last: seen[p]?.at(-1) === m1,
                opens: i === 0,
                closes: i === row.length - 1,
              });
            });
          }
          block++;
        }
        headsBefore += own;
      }
    }
  }
  return found;
}
