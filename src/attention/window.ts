import { type KeyRange, noKeys } from "./key-range.js";

/**
 * Which keys a query sees about its own place among them, and more that leaves each query one interval of keys, whose ends
 * never fall from one query to the next. All of it intersects.
 */
export interface Window {
  /** Keys to the left and to the right of a query's own place that it sees; -1 is unbounded. Causal is right = 0. */
  readonly left: number;
  readonly right: number;
  /**
   * The place of query 0 among the keys, where the mask is aligned to the top-left corner (0) or to a cache of so many
   * keys. M_b - P_b where absent: the last query is at the last key, the bottom-right corner.
   */
  readonly origin?: number;
  /** Keys before this one are seen by all, those after it only up to a query's own place: a prefix LM. */
  readonly prefix?: number;
  /** Where the documents of a packed sequence end, ascending: a query sees keys of its own document; past the last is none. P = M. */
  readonly documents?: readonly number[];
}

/** The window of what has more beside. */
export function windowOf({ left, right, origin, prefix, documents }: Window): Window {
  return {
    ...{ left, right },
    ...(origin === undefined ? {} : { origin }),
    ...(prefix === undefined ? {} : { prefix }),
    ...(documents === undefined ? {} : { documents }),
  };
}

/** The queries and keys of one sequence of a batch: P_b and M_b. */
export interface Sequence {
  readonly queries: number;
  readonly keys: number;
  /** Keys before this one are padding: they do not exist. */
  readonly leftPad?: number;
}

/** Whether a sequence's mask is a window about the queries' own places, aligned to the last query and key, and no more. */
export const isPlainWindow = ({ origin, prefix, documents }: Window, { leftPad = 0 }: Sequence): boolean =>
  origin === undefined && prefix === undefined && documents === undefined && leftPad === 0;

/** The place of query p among the keys: i = p + M_b - P_b, or p + origin. */
export const placeAmongKeys = ({ origin }: Pick<Window, "origin">, { queries, keys }: Sequence, p: number): number =>
  p + (origin ?? keys - queries);

/** The first key that query p may see, within the sequence; never falls from one query to the next. */
export function firstSeen(window: Window, sequence: Sequence, p: number): number {
  const { left, documents } = window;
  let first = sequence.leftPad ?? 0;
  if (left >= 0) first = Math.max(first, placeAmongKeys(window, sequence, p) - left);
  if (documents !== undefined) first = Math.max(first, documents[documentOf(documents, p) - 1] ?? 0);
  return within(sequence, first);
}

/** The key after the last that query p may see, within the sequence; never falls either. */
export function endOfSeen(window: Window, sequence: Sequence, p: number): number {
  const { right, prefix, documents } = window;
  const next = placeAmongKeys(window, sequence, p) + 1;
  let end = sequence.keys;
  if (right >= 0) end = Math.min(end, next + right);
  if (prefix !== undefined) end = Math.min(end, Math.max(prefix, next));
  if (documents !== undefined) end = Math.min(end, documents[documentOf(documents, p)] ?? documents.at(-1) ?? 0);
  return within(sequence, end);
}

/** The number of the document that position p is in, or as many as there are past the last. */
function documentOf(ends: readonly number[], p: number): number {
  let [low, high] = [0, ends.length];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if ((ends[middle] as number) > p) high = middle;
    else low = middle + 1;
  }
  return low;
}

const within = ({ keys }: Sequence, key: number): number => Math.min(keys, Math.max(0, key));

/** The keys that query p sees. */
export function seenBy(window: Window, sequence: Sequence, p: number): KeyRange {
  if (p >= sequence.queries) return noKeys;
  const from = firstSeen(window, sequence, p);
  const to = endOfSeen(window, sequence, p);
  return from < to ? { from, to } : noKeys;
}

/** Whether some query of the sequence does not see some key. */
export const hidesOf = (window: Window, sequence: Sequence): boolean =>
  sequence.queries > 0 &&
  (endOfSeen(window, sequence, 0) < sequence.keys || firstSeen(window, sequence, sequence.queries - 1) > 0);
