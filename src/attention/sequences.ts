import { type AttentionMask, sequenceOf } from "./mask.js";
import type { AttentionShape } from "./shape.js";
import { hidesOf, type Sequence, type Window, windowOf } from "./window.js";

/** Sequences of a batch with the same numbers of queries and keys. */
export interface SequenceClass extends Sequence {
  readonly count: number;
}

/** Which keys each query sees, however queries are laid out as rows. */
export interface KeyMask extends Window {
  readonly sequences: readonly SequenceClass[];
}

/** Sequences gathered by their sizes, in the order in which they first come. */
export function classesOf(sequences: readonly SequenceClass[]): readonly SequenceClass[] {
  const classes = new Map<string, SequenceClass>();
  for (const { queries, keys, leftPad, count } of sequences) {
    const name = `${queries} ${keys} ${leftPad ?? 0}`;
    const pad = leftPad === undefined ? {} : { leftPad };
    classes.set(name, { queries, keys, ...pad, count: count + (classes.get(name)?.count ?? 0) });
  }
  return [...classes.values()];
}

/** The sequences that have queries and keys, and what their queries see; null where none has. */
export function keyMaskOf(
  shape: Pick<AttentionShape, "batch" | "queries" | "keys">,
  mask: AttentionMask,
): KeyMask | null {
  const { batch, queries, keys } = shape;
  const all =
    mask.kvLens === null && mask.qLens === null && (mask.leftPad ?? null) === null
      ? [{ count: batch, queries, keys }]
      : Array.from({ length: batch }, (_, b) => ({ count: 1, ...sequenceOf({ shape, mask }, b) }));
  const sequences = classesOf(all.filter(sequence => sequence.queries > 0 && sequence.keys > 0));
  return sequences.length === 0 ? null : { ...windowOf(mask), sequences };
}

/** Whether some query of a batch does not see some key of its longest sequence, or sequences differ in length. */
export const hidesAny = (mask: KeyMask): boolean =>
  classesOf(mask.sequences).length > 1 || mask.sequences.some(sequence => hidesOf(mask, sequence));
