import { unevenGroups } from "../../attention/heads.js";
import type { AttentionShape } from "../../attention/shape.js";
import { howMany, InputError } from "../../errors.js";
import type { StoredTensor } from "../../io/stored-tensor.js";
import { largestHeadDim } from "../../numerics/limits.js";

export interface StoredInputs {
  readonly q: StoredTensor;
  readonly k: StoredTensor;
  readonly v: StoredTensor;
}

/** The shape that Q [B,H,P,E], K [B,Hkv,M,E] and V [B,Hkv,M,F] make together. @throws InputError when they don't fit. */
export function shapeOfInputs({ q, k, v }: StoredInputs): AttentionShape {
  const [batch, heads, queries, headDim] = ranks(q, "[B, H, P, E]");
  const [kBatch, kvHeads, keys, kDim] = ranks(k, "[B, Hkv, M, E]");
  const [vBatch, vHeads, vKeys, valueDim] = ranks(v, "[B, Hkv, M, F]");
  const same = (tensor: StoredTensor, what: string, got: number, expected: number, as: string): void => {
    if (got === expected) return;
    const shape = `[${tensor.shape.join(", ")}]`;
    throw new InputError({
      where: tensor.where,
      got: `${what} ${got} in shape ${shape}`,
      expected: `${expected}, as in ${as}`,
    });
  };
  same(k, "B", kBatch, batch, "q");
  same(v, "B", vBatch, batch, "q");
  same(k, "E", kDim, headDim, "q");
  same(v, "Hkv", vHeads, kvHeads, "k");
  same(v, "M", vKeys, keys, "k");
  if (headDim > largestHeadDim) {
    throw new InputError({ where: q.where, got: `E ${headDim}`, expected: `at most ${largestHeadDim}` });
  }
  const uneven = unevenGroups({ heads, kvHeads });
  if (uneven !== null) {
    const swapped = kvHeads > keys ? { fix: "--layout bshd reads files that are [B, S, H, D]" } : {};
    throw new InputError({ ...uneven, where: k.where, got: howMany(kvHeads, "head"), ...swapped });
  }
  return { batch, heads, kvHeads, queries, keys, headDim, valueDim };
}

function ranks(tensor: StoredTensor, expected: string): readonly [number, number, number, number] {
  const { shape, where } = tensor;
  const [a, b, c, d] = shape;
  if (a === undefined || b === undefined || c === undefined || d === undefined || shape.length !== 4) {
    throw new InputError({ where, got: `shape [${shape.join(", ")}]`, expected: `four ranks, ${expected}` });
  }
  if (shape.includes(0)) {
    throw new InputError({ where, got: `shape [${shape.join(", ")}]`, expected: `sizes of at least 1, ${expected}` });
  }
  return [a, b, c, d];
}
