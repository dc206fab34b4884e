import type { TensorShape } from "./shape.js";

/**
 * How a file keeps the ranks of Q, K, V and AV: batches b, heads h, positions s, the width d of one head. `bsd` has the heads
 * of a position side by side in one rank of H * D values. The emulator's own layout is bhsd.
 */
export const layouts = ["bhsd", "bshd", "bsd"] as const;
export type Layout = (typeof layouts)[number];

/** The sizes of a tensor [B, H, S, D] as a layout has them. */
export function sizesIn(layout: Layout, [b, h, s, d]: TensorShape): readonly number[] {
  if (layout === "bhsd") return [b, h, s, d];
  return layout === "bshd" ? [b, s, h, d] : [b, s, h * d];
}

/** Values [B, X, Y, D] in the order of [B, Y, X, D]: from bhsd to bshd, and back. */
export function swapMiddle<Values extends Float32Array | Float64Array>(values: Values, sizes: TensorShape): Values {
  const [batches, xs, ys, width] = sizes;
  const swapped = values.slice() as Values;
  for (let b = 0; b < batches; b += 1) {
    const begin = b * xs * ys * width;
    for (let x = 0; x < xs; x += 1) {
      for (let y = 0; y < ys; y += 1) {
        const from = begin + (x * ys + y) * width;
        swapped.set(values.subarray(from, from + width), begin + (y * xs + x) * width);
      }
    }
  }
  return swapped;
}

/** Values of [B, H, S, D] in the order of a layout. */
export const inLayout = <Values extends Float32Array | Float64Array>(
  layout: Layout,
  values: Values,
  sizes: TensorShape,
): Values => (layout === "bhsd" ? values : swapMiddle(values, sizes));

/** Values at once, where pieces are made of them. */
const pieceValues = 2 ** 21;

/**
 * The values of a tensor [B, H, S, D] in the order of a layout, piece by piece.
 * @param rows the values of rows [from, to), numbered (b * H + h) * S + s
 */
export function* piecesInLayout<Values extends Float32Array | Float64Array>(
  layout: Layout,
  [batches, heads, positions, width]: TensorShape,
  rows: (from: number, to: number) => Values,
): Generator<Values> {
  if (layout === "bhsd" || heads === 1 || positions === 1) {
    const all = batches * heads * positions;
    const step = Math.max(1, Math.floor(pieceValues / width));
    for (let from = 0; from < all; from += step) yield rows(from, Math.min(from + step, all));
    return;
  }
  const step = Math.max(1, Math.floor(pieceValues / (heads * width)));
  for (let b = 0; b < batches; b += 1) {
    for (let s = 0; s < positions; s += step) {
      const count = Math.min(step, positions - s);
      let piece: Values | null = null;
      for (let h = 0; h < heads; h += 1) {
        const first = (b * heads + h) * positions + s;
        const ofHead = rows(first, first + count);
        piece ??= zerosLike(ofHead, count * heads * width);
        for (let i = 0; i < count; i += 1) {
          piece.set(ofHead.subarray(i * width, (i + 1) * width), (i * heads + h) * width);
        }
      }
      if (piece !== null) yield piece;
    }
  }
}

const zerosLike = <Values extends Float32Array | Float64Array>(values: Values, length: number): Values =>
  (values instanceof Float64Array ? new Float64Array(length) : new Float32Array(length)) as Values;
