import { headOf, queryOf } from "./rows.js";
import type { AttentionShape } from "./shape.js";

/**
 * The array's tile: m0 keys down the rows, p0 queries across the columns. m0 is part of the result's identity, p0 is
 * not.
 */
export interface Tile {
  readonly m0: number;
  readonly p0: number;
}

/** A tile of one head by its coordinates: query tile p1, key tile m1. */
export interface TileCoordinates {
  readonly b: number;
  readonly h: number;
  readonly m1: number;
  readonly p1: number;
}

interface Tiled {
  readonly shape: AttentionShape;
  readonly tile: Tile;
}

/** The query tile of a row, numbered through all heads. */
export const queryTileOf = ({ shape, tile }: Tiled, row: number): number =>
  headOf(shape, row) * Math.ceil(shape.queries / tile.p0) + Math.floor(queryOf(shape, row) / tile.p0);
