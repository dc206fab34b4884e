import { type BitPlane, bitPlane } from "../../attention/bit-plane.js";
import { scoreSizes } from "../../attention/broadcast.js";
import type { AttentionShape } from "../../attention/shape.js";
import { InputError } from "../../errors.js";
import type { StoredTensor } from "../../io/stored-tensor.js";
import type { MaskChoice } from "../mask/choice.js";
import { openOneTensor } from "./one-tensor.js";

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

/** The planes of bits of the masks that are files. @throws InputError, UsageError */
export const planesOf = async (masks: readonly MaskChoice[], shape: AttentionShape): Promise<readonly BitPlane[]> =>
  planesIn(await loadMasks(masks), shape);

const names = ["mask", "attn_mask", "attention_mask", "block_mask"];

/** The masks among others that are files. @throws InputError, UsageError */
export async function loadMasks(masks: readonly MaskChoice[]): Promise<readonly LoadedMask[]> {
  const loaded: LoadedMask[] = [];
  for (const mask of masks) {
    if (mask.kind !== "file" && mask.kind !== "blocks") continue;
    const { queries, keys } = mask.kind === "blocks" ? mask : { queries: 1, keys: 1 };
    loaded.push({ ...(await truthValues(await openOneTensor("--mask", mask.path, names))), queries, keys });
  }
  return loaded;
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
      mend: "--bias takes masks that are added to scores",
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
