import type { AttentionProblem } from "../attention/problem.js";
import type { TileOperands } from "./instruction.js";

/** The tiles in the order of mapping 1 (FuseMax section V): head, query block, key tile, query tile of the block. */
export function listTiles({ shape, tile }: AttentionProblem, blockTiles: number): readonly TileOperands[] {
  const tiles: TileOperands[] = [];
  const { queries, keys } = shape;
  const queryTiles = Math.ceil(queries / tile.p0);
  const keyTiles = Math.ceil(keys / tile.m0);
  let keyArrival = -1;
  for (let head = 0; head < shape.batch * shape.heads; head++) {
    for (let block = 0; block < queryTiles; block += blockTiles) {
      const end = Math.min(block + blockTiles, queryTiles);
      for (let keyTile = 0; keyTile < keyTiles; keyTile++) {
        keyArrival++;
        for (let queryTile = block; queryTile < end; queryTile++) {
          tiles.push({
            index: tiles.length,
            head,
            queryTile,
            keyTile,
            rows: Math.min(tile.m0, keys - keyTile * tile.m0),
            columns: Math.min(tile.p0, queries - queryTile * tile.p0),
            firstKeys: keyTile === 0,
            lastKeys: keyTile === keyTiles - 1,
            newKeys: queryTile === block,
            keyArrival,
            queryArrival: head * queryTiles + queryTile,
          });
        }
      }
    }
  }
  return tiles;
}
