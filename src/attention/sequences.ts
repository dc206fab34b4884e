import { groupOf, kvHeadPlace, kvHeadsOf } from "./heads.js";
import type { KeyRange } from "./key-range.js";
import { type AttentionMask, hasPlanes, maskOf, sequenceOf } from "./mask.js";
import { rowAt } from "./rows.js";
import type { AttentionShape } from "./shape.js";
import { hidesOf, type Sequence, seenBy, type Window, windowOf } from "./window.js";

/** Sequences of a batch with the same numbers of queries and keys, and the same mask. */
export interface SequenceClass extends Sequence {
  readonly count: number;
  /** What its rows see, where that is no interval of keys. */
  readonly bits?: RowBits;
}

/**
 * What each row sees: rows are queries times the query heads that are side by side, query by query. Where heads that share
 * keys are alone, a row sees what any of them does.
 */
export interface RowBits {
  /** A number of its own, from 1 up. */
  readonly id: number;
  /** The keys 32 w … 32 w + 31 that a row sees, as bits, where `group` heads are side by side. */
  word(row: number, w: number, group: number): number;
}

/** Which keys each query sees, however queries are laid out as rows. */
export interface KeyMask extends Window {
  readonly sequences: readonly SequenceClass[];
}

let masks = 0;

/** Bits of rows as a function gives them. */
export function rowBits(word: RowBits["word"]): RowBits {
  masks += 1;
  return { id: masks, word };
}

/** Sequences gathered by their sizes and masks, in the order in which they first come. */
export function classesOf(sequences: readonly SequenceClass[]): readonly SequenceClass[] {
  const classes = new Map<RowBits | undefined, Map<string, SequenceClass>>();
  const ordered: SequenceClass[] = [];
  for (const sequence of sequences) {
    const { queries, keys, leftPad = 0, bits, count } = sequence;
    const alike = classes.get(bits) ?? new Map<string, SequenceClass>();
    classes.set(bits, alike);
    const name = `${queries} ${keys} ${leftPad}`;
    const known = alike.get(name);
    const now = { ...sequence, count: count + (known?.count ?? 0) };
    if (known === undefined) ordered.push(now);
    else ordered[ordered.indexOf(known)] = now;
    alike.set(name, now);
  }
  return ordered;
}

/** The sequences that have queries and keys other than padding, and what their queries see; null where none has. Planes are not looked at. */
export function keyMaskOf(
  shape: Pick<AttentionShape, "batch" | "queries" | "keys">,
  mask: AttentionMask,
): KeyMask | null {
  const { batch, queries, keys } = shape;
  const all =
    mask.kvLens === null && mask.qLens === null && (mask.leftPad ?? null) === null
      ? [{ count: batch, queries, keys }]
      : Array.from({ length: batch }, (_, b) => ({ count: 1, ...sequenceOf({ shape, mask }, b) }));
  return withSequences(mask, all);
}

/**
 * The same for a mask with planes, where a sequence is one of the batch times its key/value heads, in that order: heads may
 * see different keys.
 */
export function planeMaskOf(shape: AttentionShape, mask: AttentionMask): KeyMask | null {
  const rowsOf = maskOf({ shape, mask });
  const group = groupOf(shape);
  // Sequences and heads of one mask are counted once.
  const { planes = [] } = mask;
  const apart = (rank: 0 | 1): boolean => planes.some(({ sizes }) => sizes[rank] > 1);
  const known = new Map<string, RowBits>();
  const all = Array.from({ length: kvHeadsOf(shape) }, (_, kvHead): SequenceClass => {
    const { b, firstHead: first } = kvHeadPlace(shape, kvHead);
    const { queries, keys } = sequenceOf({ shape, mask }, b);
    const word = (p: number, g: number, w: number): number => rowsOf.word(rowAt(shape, { b, h: first + g, p }), w);
    const heads = Array.from({ length: group }, (_, g) => g);
    const name = [apart(0) ? b : 0, apart(1) ? first : 0, queries, keys, mask.leftPad?.[b] ?? 0].join();
    const bits =
      known.get(name) ??
      rowBits((row, w, together) =>
        together === group
          ? word(Math.floor(row / group), row % group, w)
          : heads.reduce((all, g) => (all | word(row, g, w)) >>> 0, 0),
      );
    known.set(name, bits);
    return { count: 1, queries, keys, bits };
  });
  return withSequences(mask, hasPlanes(mask) ? all : []);
}

function withSequences(mask: AttentionMask, all: readonly SequenceClass[]): KeyMask | null {
  const sequences = classesOf(all.filter(({ queries, keys, leftPad = 0 }) => queries > 0 && keys > leftPad));
  return sequences.length === 0 ? null : { ...windowOf(mask), sequences };
}

/** Whether some query of a batch does not see some key of its longest sequence, or sequences differ in length. */
export const hidesAny = (mask: KeyMask): boolean =>
  classesOf(mask.sequences).length > 1 ||
  mask.sequences.some(sequence => sequence.bits !== undefined || hidesOf(mask, sequence));

/** The keys that a row sees, interval by interval; `group` query heads are side by side. */
export function* keysOfRow(window: Window, sequence: SequenceClass, row: number, group: number): Generator<KeyRange> {
  const { bits } = sequence;
  const seen = seenBy(window, sequence, Math.floor(row / group));
  if (bits === undefined) {
    if (seen.from < seen.to) yield seen;
    return;
  }
  let from = -1;
  for (let m = seen.from; m < seen.to; ) {
    const word = bits.word(row, m >>> 5, group) >>> (m & 31);
    const end = Math.min(seen.to, m + 32 - (m & 31));
    // Words of all keys or none are most of them.
    if ((word === 0 && from < 0) || (word === 0xffffffff && from >= 0)) {
      m = end;
      continue;
    }
    for (let rest = word; m < end; m += 1, rest >>>= 1) {
      if ((rest & 1) !== 0 && from < 0) from = m;
      if ((rest & 1) === 0 && from >= 0) {
        yield { from, to: m };
        from = -1;
      }
    }
  }
  if (from >= 0) yield { from, to: seen.to };
}
