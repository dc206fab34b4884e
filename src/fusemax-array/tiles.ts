import { headPlace, headsOf } from "../attention/heads.js";
import { isEmpty } from "../attention/key-range.js";
import { maskOf, sequenceOf } from "../attention/mask.js";
import type { AttentionProblem } from "../attention/problem.js";
import { rowAt } from "../attention/rows.js";
import type { TileOperands } from "./instruction.js";

/**
 * The tiles in the order of mapping 1 (FuseMax section V): head, query block, key tile, query tile of the block; those in which
 * a mask leaves no score are passed over.
 */
export function listTiles(problem: AttentionProblem, blockTiles: number): readonly TileOperands[] {
  const { shape, tile } = problem;
  const mask = maskOf(problem);
  const tiles: TileOperands[] = [];
  let [keyArrival, queryArrival] = [-1, -1];
  const queryArrivals = new Map<string, number>();
  for (let head = 0; head < headsOf(shape); head++) {
    const { b, h } = headPlace(shape, head);
    const { queries } = sequenceOf(problem, b);
    const queryTiles = Math.ceil(queries / tile.p0);
    const seen = Array.from({ length: queryTiles }, (_, queryTile) => {
      const first = queryTile * tile.p0;
      const columns = Math.min(tile.p0, queries - first);
      const spans = Array.from({ length: columns }, (_, c) => mask.span(rowAt(shape, { b, h, p: first + c })));
      const all = spans.filter(span => !isEmpty(span));
      return {
        columns,
        spans,
        from: Math.floor(Math.min(...all.map(({ from }) => from)) / tile.m0),
        to: Math.ceil(Math.max(0, ...all.map(({ to }) => to)) / tile.m0),
      };
    });
    const { keys } = sequenceOf(problem, b);
    for (let block = 0; block < queryTiles; block += blockTiles) {
      for (let keyTile = 0; keyTile < Math.ceil(keys / tile.m0); keyTile++) {
        let newKeys = true;
        for (let queryTile = block; queryTile < Math.min(block + blockTiles, queryTiles); queryTile++) {
          const { columns, spans, from, to } = seen[queryTile] as (typeof seen)[number];
          if (keyTile < from || keyTile >= to) continue;
          const queriesKey = `${head} ${queryTile}`;
          if (!queryArrivals.has(queriesKey)) queryArrivals.set(queriesKey, ++queryArrival);
          if (newKeys) keyArrival++;
          tiles.push({
            index: tiles.length,
            ...{ head, queryTile, keyTile, columns },
            rows: Math.min(tile.m0, keys - keyTile * tile.m0),
            sees: (r, c) => {
              const span = spans[c];
              const m = keyTile * tile.m0 + r;
              return span !== undefined && span.from <= m && m < span.to;
            },
            firstKeys: keyTile === from,
            lastKeys: keyTile === to - 1,
            newKeys,
            keyArrival,
            queryArrival: queryArrivals.get(queriesKey) ?? 0,
          });
          newKeys = false;
        }
      }
    }
  }
  return tiles;
}
