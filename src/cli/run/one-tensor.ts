import { InputError } from "../../errors.js";
import { listed } from "../../io/listed.js";
import { isArchive, openArchive } from "../../io/open-archive.js";
import type { ReadAs } from "../../io/read-as.js";
import type { StoredTensor } from "../../io/stored-tensor.js";

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
  const archive = await openArchive(option, path, "a .npy file holds one tensor");
  const [only, second] = archive.names;
  const name = names.find(one => archive.names.includes(one)) ?? (second === undefined ? only : undefined);
  if (name !== undefined) return archive.tensor(name, readAs);
  throw new InputError({
    where: path,
    got: `the tensors ${listed(archive.names)}`,
    expected: `one tensor, or one named ${names.join(" or ")}`,
  });
}
