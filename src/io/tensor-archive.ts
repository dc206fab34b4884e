import { InputError } from "../errors.js";
import { listed } from "./listed.js";
import type { ReadAs } from "./read-as.js";
import type { StoredTensor } from "./stored-tensor.js";

/** Tensors by name, in one file or in the shards of one. */
export interface TensorArchive {
  /** In file order. */
  readonly names: readonly string[];
  /** @throws InputError when there is no such tensor or its values are of no type that is read. */
  tensor(name: string, readAs?: ReadAs): StoredTensor | Promise<StoredTensor>;
}

/**
 * The one tensor that an archive has, or the one of several that has a name of `names` (the first of them that is there).
 * @throws InputError
 */
export async function onlyTensorOf(
  archive: TensorArchive,
  where: string,
  names: readonly string[],
  readAs: ReadAs = {},
): Promise<StoredTensor> {
  const [only, second] = archive.names;
  const name = names.find(one => archive.names.includes(one)) ?? (second === undefined ? only : undefined);
  if (name !== undefined) return archive.tensor(name, readAs);
  throw new InputError({
    where,
    got: `the tensors ${listed(archive.names)}`,
    expected: `one tensor, or one named ${names.join(" or ")}`,
  });
}
