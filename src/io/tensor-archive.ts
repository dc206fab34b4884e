import { UsageError } from "../errors.js";
import type { ReadAs } from "./read-as.js";
import type { StoredTensor } from "./stored-tensor.js";

/** Tensors by name, in one file or in the shards of one. */
export interface TensorArchive {
  /** In file order. */
  readonly names: readonly string[];
  /** @throws InputError when there is no such tensor or its values are of no type that is read. */
  tensor(name: string, readAs?: ReadAs): StoredTensor | Promise<StoredTensor>;
}

export const archiveEndings = [".npz", ".safetensors", ".safetensors.index.json"] as const;

export const isArchive = (path: string): boolean => archiveEndings.some(ending => path.toLowerCase().endsWith(ending));

/**
 * Opens a .npz or .safetensors file, or the index of a sharded one; reads headers only.
 * @param option what named the path
 * @throws UsageError for another ending, InputError for a file that is not what it says.
 */
export async function openArchive(option: string, path: string, mend: string): Promise<TensorArchive> {
  if (/\.safetensors$/i.test(path)) return (await import("./safetensors.js")).readSafetensors(path);
  if (/\.npz$/i.test(path)) return (await import("./npz.js")).readNpz(path);
  if (/\.safetensors\.index\.json$/i.test(path)) return (await import("./safetensors-index.js")).readIndex(path);
  throw new UsageError({
    where: option,
    got: path,
    expected: "a .npz or .safetensors file, or the .safetensors.index.json of a sharded one",
    mend,
  });
}
