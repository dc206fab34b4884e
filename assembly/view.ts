// What a lane group sees of a key tile.
import { keyEnds, keyStarts, lanes, queryTiles, seenFrom, seenTo, viewBegin, viewEnd, viewPartial } from "./memory";

/** How many tiles (p1, m1) were begun on, and the p1 of the last of them; -1 before the first of a key tile. */
let tiles: i32 = 0;
let lastQueryTile: i32 = -1;

/** Begins a key tile. `counted` is a query tile that has been counted with it already, or -1. */
export function beginTile(counted: i32): void {
  lastQueryTile = counted;
}

/** How many tiles (p1, m1), in which a query sees a key, were looked at since the last call. */
export function takeTiles(): i32 {
  const counted = tiles;
  tiles = 0;
  return counted;
}

/** Notes which keys of the tile of `count` keys from `firstKey` the lanes of a lane group see; tells whether any. */
export function lookAtTile(state: usize, firstKey: i32, count: i32): bool {
  let begin = count;
  let end = 0;
  let latestStart = 0;
  let earliestEnd = count;
  for (let lane = 0; lane < lanes; lane++) {
    const at = state + ((<usize>lane) << 2);
    let start = max(load<i32>(at, seenFrom) - firstKey, 0);
    let stop = min(load<i32>(at, seenTo) - firstKey, count);
    if (start < stop) {
      begin = min(begin, start);
      end = max(end, stop);
      const queryTile = load<i32>(at, queryTiles);
      if (queryTile != lastQueryTile) tiles += 1;
      lastQueryTile = queryTile;
    } else {
      start = 0;
      stop = 0;
    }
    store<i32>(at, start, keyStarts);
    store<i32>(at, stop, keyEnds);
    latestStart = max(latestStart, start);
    earliestEnd = min(earliestEnd, stop);
  }
  store<i32>(state, begin, viewBegin);
  store<i32>(state, end, viewEnd);
  store<i32>(state, i32(latestStart > begin || earliestEnd < end), viewPartial);
  return begin < end;
}
