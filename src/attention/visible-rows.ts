import { keysOfRow, type SequenceClass } from "./sequences.js";
import { endOfSeen, firstSeen, type Window } from "./window.js";

/** The rows of a sequence in classes that see as many keys. Rows are queries times the query heads that share keys. */
export interface VisibleRows {
  /** By class, how many keys one of its rows sees. */
  readonly keys: Float64Array;
  /** By class, how many rows it has. */
  readonly rows: Float64Array;
  /** Keys that some row sees. */
  readonly seenKeys: number;
}

/**
 * Counts a sequence's rows by the keys that they see.
 * @param group query heads that share keys: rows per query
 */
export function visibleRows(window: Window, sequence: SequenceClass, group: number): VisibleRows {
  const { queries, keys, bits } = sequence;
  const rowsSeeing = new Float64Array(keys + 1);
  const count = (seen: number, rows: number): void => {
    rowsSeeing[seen] = (rowsSeeing[seen] ?? 0) + rows;
  };
  if (bits !== undefined) {
    const seen = new Uint8Array(keys);
    for (let row = 0; row < queries * group; row += 1) {
      let own = 0;
      for (const { from, to } of keysOfRow(window, sequence, row, group)) {
        seen.fill(1, from, to);
        own += to - from;
      }
      count(own, 1);
    }
    return { ...classesIn(rowsSeeing), seenKeys: seen.reduce((sum, one) => sum + one, 0) };
  }
  let [seenKeys, end] = [0, 0];
  for (let p = 0; p < queries; p += 1) {
    const [from, to] = [firstSeen(window, sequence, p), endOfSeen(window, sequence, p)];
    count(Math.max(0, to - from), group);
    // Neither end falls from one query to the next.
    seenKeys += Math.max(0, to - Math.max(from, end));
    end = Math.max(end, to);
  }
  return { ...classesIn(rowsSeeing), seenKeys };
}

/** The entries of a histogram that are not 0. */
function classesIn(rowsSeeing: Float64Array): Pick<VisibleRows, "keys" | "rows"> {
  const keys = Float64Array.from(rowsSeeing.keys()).filter(k => rowsSeeing[k] !== 0);
  return { keys, rows: keys.map(k => rowsSeeing[k] as number) };
}
