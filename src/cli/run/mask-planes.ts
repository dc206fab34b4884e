import { type BitPlane, bitPlane } from "../../attention/bit-plane.js";
import { scoreSizes } from "../../attention/broadcast.js";
import type { AttentionShape } from "../../attention/shape.js";
import { InputError } from "../../errors.js";
import type { StoredTensor } from "../../io/stored-tensor.js";
import type { MaskChoice } from "../mask/choice.js";

/** A file of truth values, one for so many queries and keys. */
export interface LoadedMask extends TruthValues {
  readonly queries: number;
  readonly keys: number;
}

/** A tensor of truth values, and where they are from. */
interface TruthValues {
  readonly where: string;
  readonly shape: readonly number[];
  readonly values: Float32Array | Float64Array;
}

/** What a mask is called in a file with more tensors. */
export const maskNames = ["mask", "attn_mask", "attention_mask", "block_mask"];

/** A mask that is a file. */
export type MaskFile = Extract<MaskChoice, { readonly path: string }>;

/** The truth values of a mask's file. @throws InputError for values that are none */
export async function loadMask(mask: MaskFile, stored: StoredTensor): Promise<LoadedMask> {
  const { queries, keys } = mask.kind === "blocks" ? mask : { queries: 1, keys: 1 };
  return { ...(await truthValues(stored)), queries, keys };
}

/** Their planes for an attention. @throws InputError where one does not broadcast */
export const planesIn = (loaded: readonly LoadedMask[], shape: AttentionShape): readonly BitPlane[] =>
  loaded.map(({ where, shape: given, values, queries, keys }) => {
    const blocks = {
      ...shape,
      queries: Math.ceil(shape.queries / queries),
      keys: Math.ceil(shape.keys / keys),
    };
    return bitPlane(scoreSizes(given, blocks, where), values, { queries, keys });
  });

/** The plane of a stored tensor of truth values. @throws InputError */
export async function planeOfTensor(stored: StoredTensor, shape: AttentionShape): Promise<BitPlane> {
  const { where, shape: given, values } = await truthValues(stored);
  return bitPlane(scoreSizes(given, shape, where), values);
}

async function truthValues(stored: StoredTensor): Promise<TruthValues> {
  if (["F16", "BF16", "F32", "F64"].includes(stored.dtype)) {
    throw new InputError({
      where: stored.where,
      got: `values of type ${stored.dtype}`,
      expected: "truth values: BOOL, or integers 0 and 1",
      fix: "--bias takes masks that are added to scores",
    });
  }
  const values = await stored.load();
  const odd = values.findIndex(value => value !== 0 && value !== 1);
  if (odd >= 0) {
    throw new InputError({
      where: stored.where,
      got: `${values[odd]} at element ${odd}`,
      expected: "truth values: 0 or 1",
    });
  }
  return { where: stored.where, shape: stored.shape, values };
}
