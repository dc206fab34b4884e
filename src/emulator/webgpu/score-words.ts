import type { KeyRange } from "../../attention/key-range.js";
import { hasPlanes, type Mask, maskOf } from "../../attention/mask.js";
import type { AttentionProblem, Operands } from "../../attention/problem.js";
import { batchOf } from "../../attention/rows.js";
import type { TileProgram } from "../../program/program.js";
import { biasReader } from "../given-scores.js";
import type { BlockPlan } from "./blocks.js";
import type { KeyOrder } from "./key-order.js";

/** What a slot has behind the windows, in words of an even number: bits of its mask, and addends of its scores. */
export interface ScoreWords {
  readonly mask: number;
  readonly bias: number;
}

export const scoreWordsOf = ({ shape, mask, bias }: AttentionProblem): ScoreWords => ({
  mask: hasPlanes(mask) ? 2 * Math.ceil(shape.keys / 64) : 0,
  bias: bias === undefined ? 0 : 2 * Math.ceil(shape.keys / 2),
});

/** Where they begin in the windows of a plan of so many slots. */
export const scoreWordsAt = (slots: number, { mask }: ScoreWords) => ({
  maskAt: 2 * slots,
  biasAt: (2 + mask) * slots,
});

/** The plan with what its slots see and what their scores get, behind their windows. */
export function withScoreWords(
  plan: BlockPlan,
  problem: AttentionProblem,
  operands: Operands,
  program: TileProgram,
  order: KeyOrder,
): BlockPlan {
  const words = scoreWordsOf({ ...problem, shape: { ...problem.shape, keys: order.places } });
  if (words.mask + words.bias === 0) return plan;
  const slots = plan.blocks.length * plan.blockRows;
  const { maskAt, biasAt } = scoreWordsAt(slots, words);
  const windows = new Uint32Array((2 + words.mask + words.bias) * slots);
  windows.set(plan.windows);
  const addends = new Float32Array(windows.buffer);
  const bias = biasReader(operands, problem.shape, program);
  const mask = maskOf(problem);
  const { keys } = problem.shape;
  const read = new Float32Array(keys);
  for (const [n, { row, count }] of plan.blocks.entries()) {
    for (let i = 0; i < count; i += 1) {
      const slot = n * plan.blockRows + i;
      const { from, to } = mask.span(row + i);
      const b = batchOf(problem.shape, row);
      if (words.mask > 0) {
        const at = maskAt + slot * words.mask;
        if (order.descending) setBits(windows.subarray(at), mask, row + i, { from, to }, m => order.swapped(b, m));
        else for (let w = from >>> 5; w * 32 < to; w += 1) windows[at + w] = mask.word(row + i, w);
      }
      if (words.bias > 0) {
        const at = biasAt + slot * words.bias;
        const own = addends.subarray(at, at + order.places);
        bias?.read(row + i, 0, keys, order.descending ? read : own);
        if (order.descending) for (let m = from; m < to; m += 1) own[order.swapped(b, m)] = read[m] as number;
      }
    }
  }
  return { ...plan, windows };
}

/** Sets the bits of the keys of a span that a row sees, key by key, at their places. */
function setBits(
  words: Uint32Array,
  mask: Mask,
  row: number,
  { from, to }: KeyRange,
  placeOf: (m: number) => number,
): void {
  for (let m = from; m < to; m += 1) {
    const place = placeOf(m);
    if (mask.sees(row, m)) words[place >>> 5] = ((words[place >>> 5] as number) | (1 << (place & 31))) >>> 0;
  }
}
