import { type BitPlane, bitPlane } from "../../attention/bit-plane.js";
import { scoreSizes } from "../../attention/broadcast.js";
import type { AttentionShape } from "../../attention/shape.js";
import { InputError } from "../../errors.js";
import type { StoredTensor } from "../../io/stored-tensor.js";
import type { MaskChoice } from "../mask/choice.js";
import { openOneTensor } from "./one-tensor.js";

/** The planes of bits of the masks that are files. @throws InputError, UsageError */
export async function planesOf(masks: readonly MaskChoice[], shape: AttentionShape): Promise<readonly BitPlane[]> {
  const planes: BitPlane[] = [];
  for (const mask of masks) {
    if (mask.kind === "file") planes.push(await readPlane(mask.path, shape, 1, 1));
    if (mask.kind === "blocks") planes.push(await readPlane(mask.path, shape, mask.queries, mask.keys));
  }
  return planes;
}

const names = ["mask", "attn_mask", "attention_mask", "block_mask"];

const readPlane = async (path: string, shape: AttentionShape, queries: number, keys: number): Promise<BitPlane> =>
  planeOfTensor(await openOneTensor("--mask", path, names), shape, queries, keys);

/** The plane of a stored tensor of truth values, one for so many queries and keys. @throws InputError */
export async function planeOfTensor(
  stored: StoredTensor,
  shape: AttentionShape,
  queries = 1,
  keys = 1,
): Promise<BitPlane> {
  if (["F16", "BF16", "F32", "F64"].includes(stored.dtype)) {
    throw new InputError({
      where: stored.where,
      got: `values of type ${stored.dtype}`,
      expected: "truth values: BOOL, or integers 0 and 1",
      mend: "--bias takes masks that are added to scores",
    });
  }
  const blocks = {
    ...shape,
    queries: Math.ceil(shape.queries / queries),
    keys: Math.ceil(shape.keys / keys),
  };
  const sizes = scoreSizes(stored.shape, blocks, stored.where);
  const values = await stored.load();
  const odd = values.findIndex(value => value !== 0 && value !== 1);
  if (odd >= 0) {
    throw new InputError({
      where: stored.where,
      got: `${values[odd]} at element ${odd}`,
      expected: "truth values: 0 or 1",
    });
  }
  return bitPlane(sizes, values, { queries, keys });
}
