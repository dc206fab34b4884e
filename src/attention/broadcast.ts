import { InputError } from "../errors.js";
import type { AttentionShape, TensorShape } from "./shape.js";

/** [B, H, P, M], with 1 where the values are the same for all, and maybe fewer keys than there are. */
export type ScoreSizes = TensorShape;

/** Values of scores, row-major. */
export interface ScoreTensor<Values> {
  readonly sizes: ScoreSizes;
  readonly values: Values;
}

/**
 * The sizes of a tensor that broadcasts to the scores [B, H, P, M] from the right, as numpy has it: each is 1 or the
 * whole. Of the last there may be fewer: keys past it are hidden.
 * @throws InputError with both shapes in one line.
 */
export function scoreSizes(given: readonly number[], shape: AttentionShape, where: string): ScoreSizes {
  const { batch, heads, queries, keys } = shape;
  const whole = [batch, heads, queries, keys];
  const padded = [1, 1, 1, 1, ...given].slice(given.length);
  const fits =
    given.length <= 4 &&
    padded.every((size, i) => size === 1 || size === whole[i] || (i === 3 && size >= 1 && size <= keys));
  if (fits) return padded as unknown as ScoreSizes;
  throw new InputError({
    where,
    got: `shape [${given.join(", ")}]`,
    expected: `one that broadcasts to the scores [B, H, P, M] = [${whole.join(", ")}]`,
    fix: "each size is 1 or the whole, and of the last there may be fewer keys",
  });
}

/** The flat index of the first key's value in row (b, h, p). */
export const rowOfScores = ([batch, heads, queries, keys]: ScoreSizes, b: number, h: number, p: number): number =>
  (((batch === 1 ? 0 : b) * heads + (heads === 1 ? 0 : h)) * queries + (queries === 1 ? 0 : p)) * keys;
