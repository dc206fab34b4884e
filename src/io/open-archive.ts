import { UsageError } from "../errors.js";
import type { TensorArchive } from "./tensor-archive.js";

export const archiveEndings = [".npz", ".safetensors", ".safetensors.index.json"] as const;

export const isArchive = (path: string): boolean => archiveEndings.some(ending => path.toLowerCase().endsWith(ending));

/**
 * Opens a .npz or .safetensors file, or the index of a sharded one; reads headers only.
 * @param option what named the path
 * @throws UsageError for another ending, InputError for a file that is not what it says.
 */
export async function openArchive(option: string, path: string, fix: string): Promise<TensorArchive> {
  if (/\.safetensors$/i.test(path)) return (await import("./safetensors.js")).readSafetensors(path);
  if (/\.npz$/i.test(path)) return (await import("./npz.js")).readNpz(path);
  if (/\.safetensors\.index\.json$/i.test(path)) return (await import("./safetensors-index.js")).readIndex(path);
  throw new UsageError({
    where: option,
    got: path,
    expected: "a .npz or .safetensors file, or the .safetensors.index.json of a sharded one",
    fix,
  });
}
