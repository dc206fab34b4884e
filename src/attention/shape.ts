/** The sizes of one attention. Query heads share key/value heads in equal groups (heads.ts). */
export interface AttentionShape {
  readonly batch: number;
  /** H: query heads. */
  readonly heads: number;
  /** Hkv: key/value heads, a divisor of H. */
  readonly kvHeads: number;
  /** P: query positions. */
  readonly queries: number;
  /** M: key and value positions. */
  readonly keys: number;
  /** E: the width of a query and of a key. */
  readonly headDim: number;
  /** F: the width of a value and of an output row. */
  readonly valueDim: number;
}

/** The tensors that an attention is given. */
export const inputNames = ["q", "k", "v"] as const;
export type InputName = (typeof inputNames)[number];

export type TensorShape = readonly [number, number, number, number];

/** Q [B,H,P,E], K [B,Hkv,M,E], V [B,Hkv,M,F] and the output AV [B,H,P,F], all row-major. */
export function tensorShapes(shape: AttentionShape): Readonly<Record<InputName | "av", TensorShape>> {
  const { batch, heads, kvHeads, queries, keys, headDim, valueDim } = shape;
  return {
    q: [batch, heads, queries, headDim],
    k: [batch, kvHeads, keys, headDim],
    v: [batch, kvHeads, keys, valueDim],
    av: [batch, heads, queries, valueDim],
  };
}

/** How many values a tensor has. */
export const valuesOf = (sizes: readonly number[]): number => sizes.reduce((product, size) => product * size, 1);
