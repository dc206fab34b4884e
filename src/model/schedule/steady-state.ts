import type { LoadCursor } from "./memory.js";
import type { TileWalk } from "./walk.js";

/** A moment at which the 2D array is about to begin the tiles of a new m1. */
export interface Moment {
  readonly cycle: number;
  /** The epochs of the two arrays: the older one reaches back to tile `oldest`. */
  readonly newestTile: number;
  readonly oldestTile: number;
  /** Everything that decides what follows, counted from this moment. */
  readonly state: string;
  readonly counters: Float64Array;
  readonly cursor: LoadCursor | null;
}

/** A whole number of periods to leave out. */
export interface Leap {
  readonly periods: number;
  readonly cycles: number;
  readonly tiles: number;
  readonly blocks: number;
  readonly keyTiles: number;
  /** What each counter grows by in one period. */
  readonly growth: Float64Array;
}

interface Seen {
  readonly cycle: number;
  readonly unit: number;
  readonly counters: Float64Array;
}

/** How often a repetition of query tiles is looked for in one key tile before that is given up. */
const mostTries = 24;

/**
 * Finds exact repetition. The simulation is deterministic: where the same state comes back, with tiles of the same kind in
 * flight and to come, the same cycles follow. It looks at three levels of the loop nest: the query tiles of one key tile,
 * the key tiles of a query block (in both the first and the last differ), and whole blocks (or heads, where blocks differ).
 */
export class SteadyState {
  private readonly keyTilesSeen = new Map<string, Seen>();
  private readonly unitsSeen = new Map<string, Seen>();
  private readonly queryTilesSeen = new Map<string, Seen>();
  private tries = 0;
  private block = -1;
  private readonly blocksPerUnit: number;
  private readonly units: number;
  private readonly tilesPerUnit: number;
  /** Cycles and tiles of the last repetition of key tiles that was found. */
  period: { readonly cycles: number; readonly tiles: number } | null = null;

  /** @param limit the tile that no leap may pass */
  constructor(
    private readonly walk: TileWalk,
    private readonly limit: number,
  ) {
    const alike = walk.uniform && walk.columnsOf(walk.queryTiles - 1) === walk.columnsOf(0);
    this.blocksPerUnit = alike ? 1 : walk.blocks;
    this.units = (walk.heads * walk.blocks) / this.blocksPerUnit;
    this.tilesPerUnit = walk.tiles / this.units;
  }

  /** True where a moment at which this tile is about to begin is worth describing. */
  watches(tile: number): boolean {
    if (tile >= this.walk.tiles) return false;
    const { p1, blockTiles } = this.walk.place(tile);
    if (p1 === 0) {
      this.queryTilesSeen.clear();
      this.tries = 0;
      return true;
    }
    return blockTiles - p1 > 4 && this.tries < mostTries;
  }

  observe(moment: Moment): Leap | null {
    const { m1, head, block, p1 } = this.walk.place(moment.newestTile);
    const blockIndex = head * this.walk.blocks + block;
    if (blockIndex !== this.block) this.keyTilesSeen.clear();
    this.block = blockIndex;
    if (moment.oldestTile < 0) return null;
    if (p1 > 0) return this.amongQueryTiles(moment, m1, p1);
    if (m1 > 0) return this.amongKeyTiles(moment, m1);
    return blockIndex % this.blocksPerUnit === 0 ? this.amongUnits(moment, blockIndex / this.blocksPerUnit) : null;
  }

  private amongQueryTiles(moment: Moment, m1: number, p1: number): Leap | null {
    const oldest = this.walk.place(moment.oldestTile);
    const sameKeyTile = oldest.head * this.walk.blocks + oldest.block === this.block && oldest.m1 === m1;
    if (!sameKeyTile || oldest.p1 === 0) return null;
    this.tries++;
    const before = recall(this.queryTilesSeen, moment, p1);
    if (before === undefined) return null;
    const step = p1 - before.unit;
    this.tries = mostTries;
    const periods = Math.floor((oldest.blockTiles - 2 - p1) / step);
    return this.leap(moment, before, periods, { tiles: step, blocks: 0, keyTiles: 0 });
  }

  private amongKeyTiles(moment: Moment, m1: number): Leap | null {
    const { walk } = this;
    const oldest = walk.place(moment.oldestTile);
    const sameBlock = oldest.head * walk.blocks + oldest.block === this.block;
    if (!sameBlock || oldest.m1 === 0) return null;
    const { cursor } = moment;
    if (cursor !== null && cursor.block !== this.block) return null;
    const before = recall(this.keyTilesSeen, moment, m1);
    if (before === undefined) return null;
    const step = m1 - before.unit;
    const tilesOfM1 = oldest.blockTiles;
    this.period = { cycles: moment.cycle - before.cycle, tiles: step * tilesOfM1 };
    const periods = Math.floor((walk.keyTiles - 2 - Math.max(m1, cursor?.m1 ?? 0)) / step);
    return this.leap(moment, before, periods, { tiles: step * tilesOfM1, blocks: 0, keyTiles: step });
  }

  private amongUnits(moment: Moment, unit: number): Leap | null {
    const before = recall(this.unitsSeen, moment, unit);
    if (before === undefined) return null;
    const step = unit - before.unit;
    const furthest = Math.max(unit, Math.ceil((moment.cursor?.block ?? 0) / this.blocksPerUnit));
    const periods = Math.floor((this.units - 1 - furthest) / step);
    return this.leap(moment, before, periods, {
      tiles: step * this.tilesPerUnit,
      blocks: step * this.blocksPerUnit,
      keyTiles: 0,
    });
  }

  private leap(moment: Moment, before: Seen, most: number, distance: Distance): Leap | null {
    const periods = Math.min(most, Math.floor((this.limit - moment.newestTile) / distance.tiles));
    if (periods < 1) return null;
    if (distance.keyTiles > 0) this.keyTilesSeen.clear();
    if (distance.blocks > 0) this.unitsSeen.clear();
    return {
      periods,
      cycles: periods * (moment.cycle - before.cycle),
      tiles: periods * distance.tiles,
      blocks: periods * distance.blocks,
      keyTiles: periods * distance.keyTiles,
      growth: moment.counters.map((value, i) => value - (before.counters[i] as number)),
    };
  }
}

/** How far one period goes. */
interface Distance {
  readonly tiles: number;
  readonly blocks: number;
  readonly keyTiles: number;
}

function recall(seen: Map<string, Seen>, moment: Moment, unit: number): Seen | undefined {
  const before = seen.get(moment.state);
  if (before === undefined) seen.set(moment.state, { cycle: moment.cycle, unit, counters: moment.counters });
  return before;
}
