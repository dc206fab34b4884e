import { hasPlanes, maskOf } from "../../attention/mask.js";
import type { AttentionProblem, Operands } from "../../attention/problem.js";
import type { TileProgram } from "../../program/program.js";
import { biasReader } from "../given-scores.js";
import type { BlockPlan } from "./blocks.js";

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
): BlockPlan {
  const words = scoreWordsOf(problem);
  if (words.mask + words.bias === 0) return plan;
  const slots = plan.blocks.length * plan.blockRows;
  const { maskAt, biasAt } = scoreWordsAt(slots, words);
  const windows = new Uint32Array((2 + words.mask + words.bias) * slots);
  windows.set(plan.windows);
  const addends = new Float32Array(windows.buffer);
  const bias = biasReader(operands, problem.shape, program);
  const mask = maskOf(problem);
  const { keys } = problem.shape;
  for (const [n, { row, count }] of plan.blocks.entries()) {
    for (let i = 0; i < count; i += 1) {
      const slot = n * plan.blockRows + i;
      const { from, to } = mask.span(row + i);
      if (words.mask > 0) {
        const at = maskAt + slot * words.mask;
        for (let w = from >>> 5; w * 32 < to; w += 1) windows[at + w] = mask.word(row + i, w);
      }
      const at = biasAt + slot * words.bias;
      if (words.bias > 0) bias?.read(row + i, 0, keys, addends.subarray(at, at + keys));
    }
  }
  return { ...plan, windows };
}
