import { isArchive, openArchive } from "../../io/open-archive.js";
import type { ReadAs } from "../../io/read-as.js";
import type { StoredTensor } from "../../io/stored-tensor.js";
import { onlyTensorOf } from "../../io/tensor-archive.js";

/**
 * Opens the one tensor that a file has, or the one of several that has a name of `names` (the first of them that is there).
 * @throws InputError, UsageError
 */
export async function openOneTensor(
  option: string,
  path: string,
  names: readonly string[],
  readAs: ReadAs = {},
): Promise<StoredTensor> {
  if (!isArchive(path)) return (await import("../../io/npy.js")).readNpy(path, readAs);
  return onlyTensorOf(await openArchive(option, path, "a .npy file holds one tensor"), path, names, readAs);
}
