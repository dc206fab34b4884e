// What a lane group sees of a key tile.
import { keyEnds, keyStarts, lanes, seenFrom, seenTo, viewBegin, viewEnd, viewPartial } from "./memory";

/** Notes which keys of the tile of `count` keys from `firstKey` the lanes of a group see; tells whether any. */
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
