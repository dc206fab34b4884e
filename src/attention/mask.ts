import { type KeyRange, noKeys } from "./key-range.js";
import { placeOf } from "./rows.js";
import type { AttentionShape } from "./shape.js";
import { type Sequence, seenBy, type Window } from "./window.js";

/**
 * Which scores exist, as data: a window about each query's own place (window.ts), and how much of each sequence of the
 * batch is there. Batch b has `kvLens[b]` keys and `qLens[b]` queries (all of them when null); output rows past
 * `qLens[b]` are +0.
 */
export interface AttentionMask extends Window {
  readonly kvLens: readonly number[] | null;
  readonly qLens: readonly number[] | null;
}

/** The mask that hides nothing. */
export const noMask: AttentionMask = { left: -1, right: -1, kvLens: null, qLens: null };

/** Whether it is that mask. */
export const hidesNothing = ({ left, right, kvLens, qLens }: AttentionMask): boolean =>
  left < 0 && right < 0 && kvLens === null && qLens === null;

export interface Masked {
  readonly shape: AttentionShape;
  readonly mask: AttentionMask;
}

/** P_b and M_b: how many queries and keys batch b has. */
export const sequenceOf = (
  { shape, mask }: { readonly shape: Sequence; readonly mask: AttentionMask },
  b: number,
): Sequence => ({
  queries: mask.qLens?.[b] ?? shape.queries,
  keys: mask.kvLens?.[b] ?? shape.keys,
});

/** What a mask shows, row by row of the flat index (b * H + h) * P + p. */
export interface Mask {
  /** Keys outside of which the row sees nothing; empty for a row without keys. */
  span(row: number): KeyRange;
  /** Whether the row sees key m. All of its span, where a mask shows one interval of each row. */
  sees(row: number, m: number): boolean;
}

/** The mask of a problem. */
export function maskOf(problem: Masked): Mask {
  const { shape, mask } = problem;
  const sequences = Array.from({ length: shape.batch }, (_, b) => sequenceOf(problem, b));
  const span = (row: number): KeyRange => {
    const { b, p } = placeOf(shape, row);
    const sequence = sequences[b];
    return sequence === undefined ? noKeys : seenBy(mask, sequence, p);
  };
  return {
    span,
    sees: (row, m) => {
      const { from, to } = span(row);
      return from <= m && m < to;
    },
  };
}
