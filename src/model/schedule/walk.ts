import { endOfSeen, firstSeen } from "../../attention/window.js";
import type { TileWork, WorkSequence } from "../../spec/schedule/machine.js";
import { tilesOfRows } from "../visible-blocks.js";
import { areIntervals, SeenTiles } from "./seen-tiles.js";

/** What a tile is to its queries and keys, as bits, with the number of its columns (0: all) above them. */
export const tileBits = { exists: 1, first: 2, last: 4, opens: 8, closes: 16 } as const;
export const bitsInKind = 5;
/** No tile: before the first, and after the last. */
export const notYet = 0;
export const noMore = 1 << 30;

/** Tiles of one kind that follow one another. */
export interface Run {
  readonly kind: number;
  readonly count: number;
}

/** Where a tile is. */
export interface TilePlace {
  readonly head: number;
  /** The key tile, and the query tile within its head. */
  readonly m1: number;
  readonly p: number;
  readonly kind: number;
}

/**
 * The query tiles of a block, each with the key tiles [from, to) that it sees. Query tiles of heads that share keys follow
 * one another; tiles that see nothing are left out.
 */
export interface Block {
  readonly heads: number;
  /** The first query tile of each head. */
  readonly first: number;
  readonly from: Float64Array;
  readonly to: Float64Array;
  /** Rows of each query tile. */
  readonly rows: Float64Array;
  /** Key tiles from the first to the one after the last that some query sees. */
  readonly begin: number;
  readonly end: number;
  readonly sequence: number;
  /** The tiles that are seen, where a mask of bits leaves holes in the intervals. */
  readonly seen?: SeenTiles;
}

/** One key tile of a block with the query tiles that see it. */
export interface Row {
  readonly block: Block;
  readonly m1: number;
  readonly runs: readonly Run[];
  readonly tiles: number;
  /** So many rows from this one on have the same runs. */
  readonly alike: number;
}

/** The walk over the tiles of a work. Blocks are numbered within one head of a sequence. */
export class TileWalk {
  /** All tiles, and the smallest number of tiles between two key tiles of the same queries. */
  readonly tiles: number;
  readonly leastBetween: number;
  /** The parts of the walk: per class of sequences one head's blocks, and how often they come. */
  readonly parts: readonly { readonly sequence: number; readonly heads: number; readonly blocks: number }[];
  /** All queries see all keys: blocks differ in nothing but their tiles. */
  private readonly whole: readonly boolean[];
  private readonly columnIds = new Map<number, number>();
  private readonly kept = new Map<string, Block | null>();

  constructor(readonly work: TileWork) {
    const { sequences, heads, headTiles } = work;
    // Where heads come in blocks of one size, each block is a head of its own.
    const even = headTiles.every(tiles => tiles === headTiles[0]);
    this.parts = sequences.flatMap(({ count, rows, keys }, sequence) => {
      const blocks = Math.ceil(Math.ceil(rows / work.tileRows) / work.blockTiles);
      if (rows === 0 || keys === 0) return [];
      return [
        {
          sequence,
          heads: count * heads * (even ? headTiles.length : 1),
          blocks: blocks * (even ? 1 : headTiles.length),
        },
      ];
    });
    this.even = even;
    this.whole = sequences.map(sequence => this.seesAll(sequence));
    let [tiles, least] = [0, Number.POSITIVE_INFINITY];
    for (const { sequence, heads: times, blocks } of this.parts) {
      for (let b = 0; b < blocks; ) {
        const alike = this.alikeBlocks(sequence, b);
        const block = this.block(sequence, b);
        if (block !== null) {
          tiles += times * alike * block.heads * (block.seen?.tiles ?? sumOf(block.to, block.from));
          least = Math.min(least, leastBetween(block));
        }
        b += alike;
      }
    }
    this.tiles = tiles;
    this.leastBetween = least;
  }
  private readonly even: boolean;

  /** Each block of heads that share keys is walked as a head of its own. */
  get headIsBlockOfHeads(): boolean {
    return this.even;
  }

  /** Query heads of a part. */
  queryHeads({ heads }: TileWalk["parts"][number]): number {
    const { headTiles } = this.work;
    return heads * (this.even ? (headTiles[0] as number) : headTiles.reduce((sum, tiles) => sum + tiles, 0));
  }

  /** Blocks from this one on that have the same tiles: where nothing is masked, all but the last. */
  alikeBlocks(sequence: number, index: number): number {
    if (!this.whole[sequence]) return 1;
    const each = this.blocksOfHead(sequence);
    const inHead = index % each;
    return inHead < each - 1 ? each - 1 - inHead : 1;
  }

  private blocksOfHead(sequence: number): number {
    const { rows } = this.work.sequences[sequence] as TileWork["sequences"][number];
    return Math.ceil(Math.ceil(rows / this.work.tileRows) / this.work.blockTiles);
  }

  /** A block of a head; null where its queries see nothing. */
  block(sequence: number, index: number): Block | null {
    const key = `${sequence} ${index}`;
    const known = this.kept.get(key);
    if (known !== undefined) return known;
    if (this.kept.size > 64) this.kept.clear();
    const made = this.makeBlock(sequence, index);
    this.kept.set(key, made);
    return made;
  }

  private makeBlock(sequence: number, index: number): Block | null {
    const { tileRows, blockTiles, headTiles } = this.work;
    const own = this.work.sequences[sequence] as WorkSequence;
    const { rows } = own;
    const each = this.blocksOfHead(sequence);
    const first = (index % each) * blockTiles;
    const count = Math.min(blockTiles, Math.ceil(rows / tileRows) - first);
    const keyTiles = this.keyTilesOfBits(own, first, count);
    const all = Array.from({ length: count }, (_, i) => {
      const row = (first + i) * tileRows;
      const end = Math.min(rows, row + tileRows);
      const seen = keyTiles?.[i];
      const tiles =
        seen === undefined ? this.keyTiles(own, row, end) : { from: seen[0] ?? 0, to: (seen.at(-1) ?? -1) + 1 };
      return { i, ...tiles, rows: end - row };
    });
    const seeing = all.filter(({ from, to }) => from < to);
    if (seeing.length === 0) return null;
    const heads = headTiles[this.even ? 0 : Math.floor(index / each)] as number;
    if (keyTiles !== undefined && !areIntervals(keyTiles)) {
      const begin = Math.min(...seeing.map(({ from }) => from));
      const end = Math.max(...seeing.map(({ to }) => to));
      return {
        ...{ heads, first, begin, end, sequence },
        from: Float64Array.from(all, tile => tile.from),
        to: Float64Array.from(all, tile => tile.to),
        rows: Float64Array.from(all, tile => tile.rows),
        seen: new SeenTiles(keyTiles, begin, end),
      };
    }
    const from = Float64Array.from(seeing, tile => tile.from);
    const to = Float64Array.from(seeing, tile => tile.to);
    return {
      heads,
      first: first + (seeing[0]?.i ?? 0),
      from,
      to,
      rows: Float64Array.from(seeing, tile => tile.rows),
      begin: from[0] as number,
      end: to.at(-1) as number,
      sequence,
    };
  }

  /** The key tiles that rows see, from the first to the one after the last; none where from = to. */
  private keyTiles(own: WorkSequence, begin: number, end: number): { readonly from: number; readonly to: number } {
    const { window, group, tileKeys } = this.work;
    const lengths = { ...own, queries: own.rows / group };
    const from = firstSeen(window, lengths, Math.floor(begin / group));
    const to = endOfSeen(window, lengths, Math.floor((end - 1) / group));
    return from < to ? { from: Math.floor(from / tileKeys), to: Math.ceil(to / tileKeys) } : { from, to: from };
  }

  /** Of each query tile of a block the key tiles that a mask of bits shows it; undefined for other masks. */
  private keyTilesOfBits(own: WorkSequence, first: number, count: number): readonly (readonly number[])[] | undefined {
    const { group, tileRows, tileKeys, window } = this.work;
    if (own.bits === undefined) return undefined;
    const sequence = { ...own, queries: own.rows / group };
    const tilesOf = tilesOfRows({ ...window, group, sequences: [sequence] }, sequence, tileRows);
    return Array.from({ length: count }, (_, i) => {
      const seen: number[] = [];
      tilesOf(first + i, tileKeys, tile => {
        seen.push(tile);
        return true;
      });
      return seen;
    });
  }

  /** The row of a block's key tile, or of the first after it that some query sees; null past the last. */
  row(block: Block, m1: number): Row | null {
    if (m1 >= block.end) return null;
    const known = this.lately.find(row => row.block === block && row.m1 === m1);
    if (known !== undefined) return known;
    const row = this.makeRow(block, m1);
    if (row !== null) {
      this.lately[this.next] = row;
      this.next = (this.next + 1) % 8;
    }
    return row;
  }
  private readonly lately: Row[] = [];
  private next = 0;

  private makeRow(block: Block, m1: number): Row | null {
    const { from, to, heads } = block;
    if (block.seen !== undefined) return this.rowOfSeen(block, block.seen, m1);
    const low = firstOver(to, m1);
    const high = firstOver(from, m1);
    if (low >= high) return this.row(block, m1 + 1);
    const cuts = new Set([low, firstOver(from, m1 - 1), firstOver(to, m1 + 1), high - 1, high]);
    const own: Run[] = [];
    const bounds = [...cuts].filter(cut => cut >= low && cut <= high).sort((a, b) => a - b);
    for (let k = 0; k + 1 < bounds.length; k++) {
      const [start, stop] = [bounds[k] as number, bounds[k + 1] as number];
      own.push({ kind: this.kindOf(block, start, m1), count: stop - start });
    }
    return { block, m1, runs: edged(own, heads), tiles: (high - low) * heads, alike: this.alikeRows(block, m1) };
  }

  private kindOf({ from, to, rows }: Block, p: number, m1: number): number {
    const isLast = to[p] === m1 + 1;
    return (
      tileBits.exists |
      (from[p] === m1 ? tileBits.first : 0) |
      (isLast ? tileBits.last | (this.columnsId(rows[p] as number) << bitsInKind) : 0)
    );
  }

  private rowOfSeen(block: Block, seen: SeenTiles, m1: number): Row | null {
    const tiles = seen.row(m1);
    if (tiles.length === 0) return this.row(block, m1 + 1);
    const own: Run[] = [];
    for (const p of tiles) {
      const kind = this.kindOf(block, p, m1);
      const last = own.at(-1);
      if (last?.kind === kind) own[own.length - 1] = { kind, count: last.count + 1 };
      else own.push({ kind, count: 1 });
    }
    return { block, m1, runs: edged(own, block.heads), tiles: tiles.length * block.heads, alike: 1 };
  }

  /** Rows from this one on whose tiles are first, last and there alike. */
  private alikeRows({ from, to, end }: Block, m1: number): number {
    let change = end;
    const consider = (value: number | undefined, offset: number): void => {
      if (value !== undefined) change = Math.min(change, value + offset);
    };
    consider(from[firstOver(from, m1)], 0);
    consider(from[firstOver(from, m1 - 1)], 1);
    consider(to[firstOver(to, m1 + 1)], -1);
    consider(to[firstOver(to, m1)], 0);
    return change - m1;
  }

  /** A number for a count of columns, 0 for all. */
  private columnsId(rows: number): number {
    if (rows === this.work.tileRows) return 0;
    const id = this.columnIds.get(rows) ?? this.columnIds.size + 1;
    this.columnIds.set(rows, id);
    return id;
  }

  /** Queries of a tile of this kind, if it is its queries' last. */
  columnsOf(kind: number): number {
    const id = kind >> bitsInKind;
    if (id === 0) return this.work.tileRows;
    for (const [rows, own] of this.columnIds) if (own === id) return rows;
    return this.work.tileRows;
  }

  /** Keys in a key tile. */
  keysOf(sequence: number, m1: number): number {
    const { keys } = this.work.sequences[sequence] as TileWork["sequences"][number];
    return Math.min(this.work.tileKeys, keys - m1 * this.work.tileKeys);
  }

  private seesAll(own: WorkSequence): boolean {
    const { window, group } = this.work;
    const { keys, bits } = own;
    const lengths = { ...own, queries: own.rows / group };
    if (bits !== undefined) return false;
    return endOfSeen(window, lengths, 0) === keys && firstSeen(window, lengths, lengths.queries - 1) === 0;
  }
}

/** The runs of all heads of a block, the row's first tile opening it and its last closing it. */
function edged(own: readonly Run[], heads: number): readonly Run[] {
  const runs: Run[] = [];
  for (let head = 0; head < heads; head++) runs.push(...own);
  const [first] = runs;
  if (first === undefined) return runs;
  runs.splice(0, 1, { kind: first.kind | tileBits.opens, count: 1 }, { kind: first.kind, count: first.count - 1 });
  const last = runs.findLast(({ count }) => count > 0) as Run;
  const at = runs.lastIndexOf(last);
  runs.splice(at, 1, { kind: last.kind, count: last.count - 1 }, { kind: last.kind | tileBits.closes, count: 1 });
  return runs.filter(({ count }) => count > 0);
}

/** The first index whose value is over `bound`, of values that never fall. */
export function firstOver(values: Float64Array, bound: number): number {
  let [low, high] = [0, values.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((values[middle] as number) > bound) high = middle;
    else low = middle + 1;
  }
  return low;
}

function sumOf(to: Float64Array, from: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < to.length; i++) sum += (to[i] as number) - (from[i] as number);
  return sum;
}

/**
 * The fewest tiles from one key tile of some queries to the next: a row's tiles, from a query's place in one row to its place
 * in the next. Infinity where no query has two.
 */
function leastBetween({ from, to, heads, seen }: Block): number {
  if (seen !== undefined) return seen.leastBetween(heads);
  let least = Number.POSITIVE_INFINITY;
  for (let p = 0; p < from.length; p++) {
    const [begin, end] = [from[p] as number, to[p] as number];
    if (end - begin < 2) continue;
    for (const m1 of [begin, end - 2]) {
      const [tiles, next] = [m1, m1 + 1].map(row => firstOver(from, row) - firstOver(to, row)) as [number, number];
      const between = firstOver(from, m1) - firstOver(to, m1 + 1) + (heads - 1) * Math.min(tiles, next);
      least = Math.min(least, between);
    }
  }
  return least;
}
