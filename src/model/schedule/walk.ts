import type { ScheduleMachine, ScheduleWork } from "../../spec/schedule/machine.js";

/** Where a tile stands in `for head: for p2: for m1: for p1`. */
export interface TilePlace {
  readonly head: number;
  /** p2: the query block within its head, and how many query tiles it has. */
  readonly block: number;
  readonly blockTiles: number;
  readonly m1: number;
  readonly p1: number;
}

/**
 * The loop nest's bounds, and where each tile stands in it. Tiles are counted from where the walk began, less those that
 * were leapt over: a leap takes whole iterations out of a loop, so that tile numbers and cycles stay small however long the
 * run is.
 */
export class TileWalk {
  readonly heads: number;
  /** M1 and P/D. */
  readonly keyTiles: number;
  readonly queryTiles: number;
  /** Query tiles of a block; the last of a head may have fewer. */
  readonly blockTiles: number;
  /** Blocks of a head. */
  readonly blocks: number;
  /** All tiles: heads x query tiles x key tiles. */
  readonly tiles: number;
  /** A tile whose place is known: its block, counted over all heads, and its place in the block. */
  private anchorTile = 0;
  private anchorBlock = 0;
  private anchorInBlock = 0;

  constructor(
    private readonly machine: ScheduleMachine,
    private readonly work: ScheduleWork,
  ) {
    this.heads = work.heads;
    this.queryTiles = Math.ceil(work.queries / machine.columns);
    this.keyTiles = Math.ceil(work.keys / machine.rows);
    this.blockTiles = Math.min(work.blockTiles, this.queryTiles);
    this.blocks = Math.ceil(this.queryTiles / this.blockTiles);
    this.tiles = this.heads * this.queryTiles * this.keyTiles;
  }

  /** True where every block has the same number of tiles. */
  get uniform(): boolean {
    return this.queryTiles % this.blockTiles === 0;
  }

  /** The place of a tile not far from the ones in flight; null before the first and after the last. */
  place(tile: number): TilePlace | null {
    let block = this.anchorBlock;
    let inBlock = this.anchorInBlock + tile - this.anchorTile;
    while (inBlock < 0) inBlock += this.sizeOf(--block) * this.keyTiles;
    for (let all = this.sizeOf(block) * this.keyTiles; inBlock >= all; all = this.sizeOf(block) * this.keyTiles) {
      inBlock -= all;
      block++;
    }
    if (block < 0 || block >= this.heads * this.blocks || tile < 0) return null;
    const size = this.sizeOf(block);
    const head = Math.floor(block / this.blocks);
    const m1 = Math.floor(inBlock / size);
    return { head, block: block - head * this.blocks, blockTiles: size, m1, p1: inBlock - m1 * size };
  }

  /** Query tiles of a block, counted over all heads. */
  sizeOf(block: number): number {
    const inHead = ((block % this.blocks) + this.blocks) % this.blocks;
    return Math.min(this.blockTiles, this.queryTiles - inHead * this.blockTiles);
  }

  /** Takes iterations out of the loops between the tiles in flight, `tile` the newest, and what is still to come. */
  leap(tile: number, tilesInBlock: number, blocks: number): void {
    const place = this.place(tile);
    if (place === null) return;
    this.anchorTile = tile;
    this.anchorBlock = place.head * this.blocks + place.block + blocks;
    this.anchorInBlock = place.m1 * place.blockTiles + place.p1 + tilesInBlock;
  }

  /** Moves the anchor to a tile, so that places near it are found at once. */
  anchor(tile: number): void {
    this.leap(tile, 0, 0);
  }

  /** Queries in a query tile: the array's columns, fewer in the last. */
  columnsOf(queryTile: number): number {
    return Math.min(this.machine.columns, this.work.queries - queryTile * this.machine.columns);
  }

  /** Keys in a key tile. */
  rowsOf(keyTile: number): number {
    return Math.min(this.machine.rows, this.work.keys - keyTile * this.machine.rows);
  }
}
