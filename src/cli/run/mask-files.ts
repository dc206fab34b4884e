import type { BitPlane } from "../../attention/bit-plane.js";
import type { AttentionShape } from "../../attention/shape.js";
import type { MaskChoice } from "../mask/choice.js";
import { type LoadedMask, loadMask, maskNames, planesIn } from "./mask-planes.js";
import { openOneTensor } from "./one-tensor.js";

/** The planes of bits of the masks that are files. @throws InputError, UsageError */
export const planesOf = async (masks: readonly MaskChoice[], shape: AttentionShape): Promise<readonly BitPlane[]> =>
  planesIn(await loadMasks(masks), shape);

/** The masks among others that are files. @throws InputError, UsageError */
export async function loadMasks(masks: readonly MaskChoice[]): Promise<readonly LoadedMask[]> {
  const loaded: LoadedMask[] = [];
  for (const mask of masks) {
    if (mask.kind === "file" || mask.kind === "blocks")
      loaded.push(await loadMask(mask, await openOneTensor("--mask", mask.path, maskNames)));
  }
  return loaded;
}
