import { ones } from "./bit-plane.js";
import { groupOf, headPlace, kvHeadPlace } from "./heads.js";
import { isEmpty, type KeyRange } from "./key-range.js";
import { type AttentionMask, hasPlanes, hidesNothing, type Masked, maskOf, sequenceOf } from "./mask.js";
import { rowAt } from "./rows.js";
import type { AttentionShape, InputName } from "./shape.js";
import { isPlainWindow } from "./window.js";

/** The rows of a tensor [B, heads, rows, width] that take part, by head numbered through the batches: ascending ranges. */
export type ExistingRows = (head: number) => readonly KeyRange[];

/** The first `lengths[b]` rows of each head of batch b. */
export const firstRows =
  (lengths: readonly number[], heads: number): ExistingRows =>
  head => [{ from: 0, to: lengths[headPlace({ heads }, head).b] ?? 0 }];

/**
 * The rows of Q that are queries, and those of K and V that some query sees: the others may hold anything. Null where all
 * take part.
 */
export function existingRows(problem: Masked, name: InputName): ExistingRows | null {
  const { shape, mask } = problem;
  if (name === "q") return mask.qLens === null ? null : firstRows(mask.qLens, shape.heads);
  return hidesNothing(mask) ? null : seenKeys(shape, mask);
}

/** The keys that some query sees, by key/value head. */
function seenKeys(shape: AttentionShape, mask: AttentionMask): ExistingRows {
  const known = new Map<number, readonly KeyRange[]>();
  const sameForHeads = (mask.planes ?? []).every(({ sizes }) => sizes[1] === 1);
  const of = hasPlanes(mask) ? seenInPlanes : seenInIntervals;
  return kvHead => {
    const { b, firstHead } = kvHeadPlace(shape, kvHead);
    const first = sameForHeads ? 0 : firstHead;
    const heads = { b, first, count: sameForHeads ? 1 : groupOf(shape) };
    const key = b * shape.heads + first;
    const ranges = known.get(key) ?? of({ shape, mask }, heads);
    known.set(key, ranges);
    return ranges;
  };
}

interface Heads {
  readonly b: number;
  /** Query heads. */
  readonly first: number;
  readonly count: number;
}

function seenInIntervals(problem: Masked, { b }: Heads): readonly KeyRange[] {
  const sequence = sequenceOf(problem, b);
  const mask = maskOf(problem);
  const at = (p: number): KeyRange => mask.span(rowAt(problem.shape, { b, h: 0, p }));
  if (isPlainWindow(problem.mask, sequence)) {
    // The last query sees the last key: rows next to each other see keys next to each other.
    const first = Array.from({ length: sequence.queries }, (_, p) => p).find(p => !isEmpty(at(p)));
    return first === undefined ? [] : [{ from: at(first).from, to: at(sequence.queries - 1).to }];
  }
  const ranges: KeyRange[] = [];
  for (let p = 0; p < sequence.queries; p += 1) {
    const { from, to } = at(p);
    const last = ranges.at(-1);
    if (from >= to) continue;
    if (last !== undefined && from <= last.to)
      ranges[ranges.length - 1] = { from: last.from, to: Math.max(last.to, to) };
    else ranges.push({ from, to });
  }
  return ranges;
}

function seenInPlanes(problem: Masked, { b, first, count }: Heads): readonly KeyRange[] {
  const { shape } = problem;
  const mask = maskOf(problem);
  const words = new Uint32Array(Math.ceil(shape.keys / 32));
  const all = ones(0, 32);
  for (let h = first; h < first + count; h += 1) {
    for (let p = 0; p < sequenceOf(problem, b).queries; p += 1) {
      const row = rowAt(shape, { b, h, p });
      for (let w = 0; w < words.length; w += 1) {
        if (words[w] !== all) (words[w] as number) |= mask.word(row, w);
      }
    }
  }
  const ranges: { from: number; to: number }[] = [];
  for (let m = 0; m < shape.keys; m += 1) {
    if ((((words[m >>> 5] as number) >>> (m & 31)) & 1) === 0) continue;
    const last = ranges.at(-1);
    if (last !== undefined && last.to === m) last.to = m + 1;
    else ranges.push({ from: m, to: m + 1 });
  }
  return ranges;
}
