import { type KeyRange, noKeys } from "./key-range.js";

/** Keys to the left and to the right of a query's own place that it sees; -1 is unbounded. Causal is right = 0. */
export interface Window {
  readonly left: number;
  readonly right: number;
}

/** The queries and keys of one sequence of a batch: P_b and M_b. */
export interface Sequence {
  readonly queries: number;
  readonly keys: number;
}

/** The place of query p among the keys: i = p + M_b - P_b, so that the last query stands at the last key. */
export const placeAmongKeys = ({ queries, keys }: Sequence, p: number): number => p + keys - queries;

/** The first key that query p may see, i - left, within the sequence; never falls from one query to the next. */
export const firstSeen = ({ left }: Window, sequence: Sequence, p: number): number =>
  left < 0 ? 0 : within(sequence, placeAmongKeys(sequence, p) - left);

/** The key after the last that query p may see, i + right + 1, within the sequence; never falls either. */
export const endOfSeen = ({ right }: Window, sequence: Sequence, p: number): number =>
  right < 0 ? sequence.keys : within(sequence, placeAmongKeys(sequence, p) + right + 1);

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
