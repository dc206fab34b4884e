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

/** The loop nest's bounds. */
export interface TileWalk {
  /** All tiles: heads x query tiles x key tiles. */
  readonly tiles: number;
  readonly heads: number;
  /** M1 and P/D. */
  readonly keyTiles: number;
  readonly queryTiles: number;
  readonly blockTiles: number;
  readonly blocks: number;
  /** True where every block has the same number of tiles. */
  readonly uniform: boolean;
  place(tile: number): TilePlace;
  /** Queries in a query tile: the array's columns, fewer in the last. */
  columnsOf(queryTile: number): number;
  /** Keys in a key tile. */
  rowsOf(keyTile: number): number;
}

export function tileWalk(machine: ScheduleMachine, work: ScheduleWork): TileWalk {
  const queryTiles = Math.ceil(work.queries / machine.columns);
  const keyTiles = Math.ceil(work.keys / machine.rows);
  const blockTiles = Math.min(work.blockTiles, queryTiles);
  const perHead = queryTiles * keyTiles;
  const perBlock = blockTiles * keyTiles;
  return {
    tiles: work.heads * perHead,
    heads: work.heads,
    keyTiles,
    queryTiles,
    blockTiles,
    blocks: Math.ceil(queryTiles / blockTiles),
    uniform: queryTiles % blockTiles === 0,
    place(tile) {
      const head = Math.floor(tile / perHead);
      const inHead = tile - head * perHead;
      const block = Math.floor(inHead / perBlock);
      const inBlock = inHead - block * perBlock;
      const size = Math.min(blockTiles, queryTiles - block * blockTiles);
      return { head, block, blockTiles: size, m1: Math.floor(inBlock / size), p1: inBlock % size };
    },
    columnsOf: queryTile => Math.min(machine.columns, work.queries - queryTile * machine.columns),
    rowsOf: keyTile => Math.min(machine.rows, work.keys - keyTile * machine.rows),
  };
}
