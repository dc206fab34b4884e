import type { LoadCursor } from "./memory.js";
import type { TilePlace, TileWalk } from "./walk.js";

/** A moment at which the 2D array is about to begin a tile. */
export interface Moment {
  readonly cycle: number;
  /** The tile that the 2D array is about to begin, and the oldest that either array works on. */
  readonly newestTile: number;
  readonly oldestTile: number;
  /** Everything that decides what follows, counted from this moment. */
  readonly state: string;
  readonly counters: Float64Array;
  readonly cursor: LoadCursor | null;
  /** Tiles until those that are watched: no leap may pass them. */
  readonly tilesToWatched: number;
}

/** What repeats: how far one period goes in each loop, and what it adds to each counter. */
export interface Period {
  readonly cycles: number;
  readonly tiles: number;
  readonly tilesInBlock: number;
  readonly keyTiles: number;
  readonly blocks: number;
  readonly growth: Float64Array;
}

/** A whole number of periods to leave out. */
export interface Leap {
  readonly periods: number;
  readonly period: Period;
}

/** An earlier moment: its place in the loop that is looked at, and how many leaps had been made. */
interface Seen {
  readonly cycle: number;
  readonly index: number;
  readonly counters: Float64Array;
  readonly leaps: number;
}

/** How often a repetition of query tiles is looked for in one key tile before that is given up. */
const mostTries = 24;

/**
 * Finds exact repetition. The simulation is deterministic: where the same state comes back, with tiles of the same kind in
 * flight and to come, the same cycles follow. It looks at each loop of the nest: the query tiles of one key tile, the key
 * tiles of a query block (in both the first and the last differ), the blocks of a head, and the heads.
 */
export class SteadyState {
  private readonly queryTiles = new Map<string, Seen>();
  private readonly keyTiles = new Map<string, Seen>();
  private readonly blocks = new Map<string, Seen>();
  private readonly heads = new Map<string, Seen>();
  /** Where blocks are all alike, so are heads, and all blocks are one loop. */
  private readonly blocksAlike: boolean;
  private readonly leaps: Leap[] = [];
  private tries = 0;
  private block = -1;
  private head = -1;
  /** Cycles and tiles of the last repetition of key tiles that was found. */
  period: { readonly cycles: number; readonly tiles: number } | null = null;

  constructor(private readonly walk: TileWalk) {
    this.blocksAlike = walk.uniform && walk.columnsOf(walk.queryTiles - 1) === walk.columnsOf(0);
  }

  /** True where a moment at which this tile is about to begin is worth describing. */
  watches(tile: number): boolean {
    const place = this.walk.place(tile);
    if (place === null) return false;
    const { p1, blockTiles, head, block } = place;
    if (p1 > 0) return blockTiles - p1 > 4 && this.tries < mostTries;
    const index = head * this.walk.blocks + block;
    this.queryTiles.clear();
    this.tries = 0;
    if (index !== this.block) this.keyTiles.clear();
    if (head !== this.head && !this.blocksAlike) this.blocks.clear();
    this.block = index;
    this.head = head;
    return true;
  }

  observe(moment: Moment): Leap | null {
    const now = this.walk.place(moment.newestTile);
    const oldest = this.walk.place(moment.oldestTile);
    if (now === null || oldest === null) return null;
    const leap = this.leapAt(moment, now, oldest);
    if (leap !== null) this.leaps.push(leap);
    return leap;
  }

  private leapAt(moment: Moment, now: TilePlace, oldest: TilePlace): Leap | null {
    const sameHead = oldest.head === now.head;
    const sameBlock = sameHead && oldest.block === now.block;
    if (now.p1 > 0) return sameBlock && oldest.m1 === now.m1 ? this.amongQueryTiles(moment, now, oldest) : null;
    if (now.m1 > 0) return sameBlock ? this.amongKeyTiles(moment, now, oldest) : null;
    if (this.blocksAlike) return this.amongBlocks(moment, now, this.walk.heads * this.walk.blocks);
    if (now.block > 0) return sameHead ? this.amongBlocks(moment, now, this.walk.blocks) : null;
    return this.amongHeads(moment, now);
  }

  /** Query tiles after the first, all of one key tile. */
  private amongQueryTiles(moment: Moment, now: TilePlace, oldest: TilePlace): Leap | null {
    if (oldest.p1 === 0) return null;
    this.tries++;
    const period = this.since(this.queryTiles, moment, now.p1, step => [step, 0, 0]);
    if (period === null) return null;
    this.tries = mostTries;
    return far(moment, period, now.blockTiles - 2 - now.p1, period.tilesInBlock);
  }

  /** Key tiles of one block after the first and before the last, whose loads too are this block's. */
  private amongKeyTiles(moment: Moment, now: TilePlace, oldest: TilePlace): Leap | null {
    if (oldest.m1 === 0) return null;
    const { cursor } = moment;
    if (cursor !== null && cursor.block !== this.block) return null;
    const period = this.since(this.keyTiles, moment, now.m1, step => [step * now.blockTiles, step, 0]);
    if (period === null) return null;
    this.period = { cycles: period.cycles, tiles: period.tiles };
    return far(moment, period, this.walk.keyTiles - 2 - Math.max(now.m1, cursor?.m1 ?? 0), period.keyTiles);
  }

  /** Blocks, up to the last but one of `end`, which may be smaller. */
  private amongBlocks(moment: Moment, now: TilePlace, end: number): Leap | null {
    const { walk } = this;
    const start = this.blocksAlike ? 0 : now.head * walk.blocks;
    const index = now.head * walk.blocks + now.block - start;
    const perBlock = walk.blockTiles * walk.keyTiles;
    const period = this.since(this.blocks, moment, index, step => [step * perBlock, 0, step]);
    if (period === null) return null;
    return far(moment, period, end - 2 - Math.max(index, this.loading(moment) - start), period.blocks);
  }

  private amongHeads(moment: Moment, { head }: TilePlace): Leap | null {
    const { walk } = this;
    const perHead = walk.queryTiles * walk.keyTiles;
    const period = this.since(this.heads, moment, head, step => [step * perHead, 0, step * walk.blocks]);
    if (period === null) return null;
    const loading = Math.floor(this.loading(moment) / walk.blocks);
    return far(moment, period, walk.heads - 2 - Math.max(head, loading), period.blocks / walk.blocks);
  }

  private loading({ cursor }: Moment): number {
    return cursor === null ? 0 : cursor.furthestBlock + 1;
  }

  /** The period since the same state was last seen in this loop; the first time it is only noted. */
  private since(
    seen: Map<string, Seen>,
    { state, cycle, counters }: Moment,
    index: number,
    distance: (step: number) => readonly [tiles: number, keyTiles: number, blocks: number],
  ): Period | null {
    const before = seen.get(state);
    if (before === undefined) {
      seen.set(state, { cycle, index, counters, leaps: this.leaps.length });
      return null;
    }
    seen.clear();
    const [tiles, keyTiles, blocks] = distance(index - before.index);
    const growth = counters.map((count, i) => count - (before.counters[i] as number));
    let cycles = cycle - before.cycle;
    // The leaps made in between belong to the period; nothing else is large.
    for (const { periods, period } of this.leaps.slice(before.leaps)) {
      cycles += periods * period.cycles;
      for (let i = 0; i < growth.length; i++) {
        growth[i] = (growth[i] as number) + periods * (period.growth[i] as number);
      }
    }
    return { cycles, tiles, tilesInBlock: blocks > 0 ? 0 : tiles, keyTiles, blocks, growth };
  }
}

/** As many periods as fit into `room`, each `each` long, and do not pass what is watched. */
function far(moment: Moment, period: Period, room: number, each: number): Leap | null {
  const periods = Math.min(Math.floor(room / each), Math.floor(moment.tilesToWatched / period.tiles));
  return periods < 1 ? null : { periods, period };
}
