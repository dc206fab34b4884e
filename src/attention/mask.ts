import { type BitPlane, countOnes, ones, wordOf } from "./bit-plane.js";
import { type KeyRange, noKeys } from "./key-range.js";
import { allRows, placeOf, type RowPlace } from "./rows.js";
import type { AttentionShape } from "./shape.js";
import { placeAmongKeys, type Sequence, seenBy, type Window } from "./window.js";

/**
 * Which scores exist, as data: one interval of keys for each query (window.ts), how much of each sequence of the batch is
 * there, and planes of bits for what is no interval. All of it intersects. Batch b has the keys leftPad[b] <= m <
 * kvLens[b] and qLens[b] queries (all of them when null); output rows past `qLens[b]` are +0.
 */
export interface AttentionMask extends Window {
  readonly kvLens: readonly number[] | null;
  readonly qLens: readonly number[] | null;
  readonly leftPad?: readonly number[] | null;
  readonly planes?: readonly BitPlane[];
}

/**
 * The mask that hides nothing.
 * @example
 * ```ts
 * import { type AttentionMask, noMask } from "fusemax";
 *
 * const causal: AttentionMask = { ...noMask, right: 0 };
 * console.log(causal.left, causal.right); // -1 0
 * ```
 */
export const noMask: AttentionMask = { left: -1, right: -1, kvLens: null, qLens: null };

/** Whether it is that mask. */
export const hidesNothing = (mask: AttentionMask): boolean =>
  mask.left < 0 &&
  mask.right < 0 &&
  mask.prefix === undefined &&
  mask.documents === undefined &&
  (mask.kvLens ?? mask.qLens ?? mask.leftPad ?? null) === null &&
  !hasPlanes(mask);

/** Whether some query may see keys that are not one interval. */
export const hasPlanes = ({ planes = [] }: AttentionMask): boolean => planes.length > 0;

export interface Masked {
  readonly shape: AttentionShape;
  readonly mask: AttentionMask;
}

/** P_b and M_b: how many queries and keys batch b has. */
export function sequenceOf(
  { shape, mask }: { readonly shape: Sequence; readonly mask: AttentionMask },
  b: number,
): Sequence {
  const leftPad = mask.leftPad?.[b] ?? 0;
  return {
    queries: mask.qLens?.[b] ?? shape.queries,
    keys: mask.kvLens?.[b] ?? shape.keys,
    ...(leftPad === 0 ? {} : { leftPad }),
  };
}

/** The place of a query among the keys of its own sequence: i of the contract. */
export const placeOfQuery = (problem: Masked, { b, p }: Pick<RowPlace, "b" | "p">): number =>
  placeAmongKeys(problem.mask, sequenceOf(problem, b), p);

/** What a mask shows, row by row of the flat index (b * H + h) * P + p. */
export interface Mask {
  /** Whether every row sees all of its span. */
  readonly isInterval: boolean;
  /** From the first to the last key that the row sees; empty for a row without keys. */
  span(row: number): KeyRange;
  /** Whether the row sees key m. */
  sees(row: number, m: number): boolean;
  /** From the first to the last key of a range that the row sees. */
  spanWithin(row: number, range: KeyRange): KeyRange;
  /** How many keys the row sees. */
  count(row: number): number;
  /** The keys 32 w … 32 w + 31 that the row sees, as bits. */
  word(row: number, w: number): number;
}

/** The mask of a problem. */
export function maskOf(problem: Masked): Mask {
  const { shape, mask } = problem;
  const sequences = Array.from({ length: shape.batch }, (_, b) => sequenceOf(problem, b));
  const interval = (row: number): KeyRange => {
    const { b, p } = placeOf(shape, row);
    const sequence = sequences[b];
    return sequence === undefined ? noKeys : seenBy(mask, sequence, p);
  };
  const { planes = [] } = mask;
  return planes.length === 0 ? intervalMask(interval) : new PlaneMask(shape, planes, interval);
}

function intervalMask(span: (row: number) => KeyRange): Mask {
  return {
    isInterval: true,
    span,
    sees: (row, m) => {
      const { from, to } = span(row);
      return from <= m && m < to;
    },
    spanWithin: (row, range) => common(span(row), range),
    count: row => {
      const { from, to } = span(row);
      return to - from;
    },
    word: (row, w) => bitsOf(span(row), w),
  };
}

function common(a: KeyRange, b: KeyRange): KeyRange {
  const [from, to] = [Math.max(a.from, b.from), Math.min(a.to, b.to)];
  return from < to ? { from, to } : noKeys;
}

const bitsOf = ({ from, to }: KeyRange, w: number): number =>
  ones(Math.max(0, from - 32 * w), Math.min(32, to - 32 * w));

/** Rows of which spans are kept: 128 MiB. */
const mostRowsKnown = 2 ** 24;

/** Planes within intervals. */
class PlaneMask implements Mask {
  readonly isInterval = false;
  /** From and to of rows that were asked for, and -1 before: engines ask again and again. */
  private readonly known: Int32Array;

  constructor(
    private readonly shape: AttentionShape,
    private readonly planes: readonly BitPlane[],
    private readonly interval: (row: number) => KeyRange,
  ) {
    this.known = new Int32Array(2 * Math.min(mostRowsKnown, allRows({ shape }).end)).fill(-1);
  }

  span(row: number): KeyRange {
    const { known } = this;
    const from = known[2 * row] ?? -1;
    if (from >= 0) return { from, to: known[2 * row + 1] as number };
    const span = this.tightened(row, this.interval(row));
    if (2 * row < known.length) known.set([span.from, span.to], 2 * row);
    return span;
  }

  sees(row: number, m: number): boolean {
    return ((this.word(row, m >>> 5) >>> (m & 31)) & 1) !== 0;
  }

  spanWithin(row: number, range: KeyRange): KeyRange {
    return this.tightened(row, common(this.span(row), range));
  }

  count(row: number): number {
    const { from, to } = this.span(row);
    let keys = 0;
    for (let w = from >>> 5; w * 32 < to; w += 1) keys += countOnes(this.word(row, w));
    return keys;
  }

  word(row: number, w: number): number {
    return (this.planesAt(row, w) & bitsOf(this.interval(row), w)) >>> 0;
  }

  private planesAt(row: number, w: number): number {
    const { b, h, p } = placeOf(this.shape, row);
    let bits = 0xffffffff;
    for (const plane of this.planes) bits &= wordOf(plane, b, h, p, w);
    return bits;
  }

  /** From the first to the last key of an interval of the row that its planes show. */
  private tightened(row: number, interval: KeyRange): KeyRange {
    const { from, to } = interval;
    const seen = (w: number): number => this.planesAt(row, w) & bitsOf(interval, w);
    for (let w = from >>> 5; w * 32 < to; w += 1) {
      const bits = seen(w);
      if (bits === 0) continue;
      for (let last = (to - 1) >>> 5; ; last -= 1) {
        const end = seen(last);
        if (end !== 0) return { from: w * 32 + 31 - Math.clz32(bits & -bits), to: last * 32 + 32 - Math.clz32(end) };
      }
    }
    return noKeys;
  }
}
