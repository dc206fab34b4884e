import { UsageError } from "../../errors.js";
import type { StoredTensor } from "../../io/stored-tensor.js";
import type { StoredInputs } from "./input-shape.js";

/** The options that name files of Q, K and V. */
export interface InputOptions {
  readonly q?: string;
  readonly k?: string;
  readonly v?: string;
  readonly input?: string;
}

/** Opens the files that the options name, headers only; null when none is named. @throws UsageError, InputError */
export async function openInputs(options: InputOptions): Promise<StoredInputs | null> {
  const { q, k, v, input } = options;
  if (input !== undefined) {
    if ((q ?? k ?? v) !== undefined) {
      throw new UsageError({ where: "--input", got: "--q, --k or --v beside it", expected: "one or the other" });
    }
    return openArchive(input);
  }
  if (q === undefined && k === undefined && v === undefined) return null;
  if (q === undefined || k === undefined || v === undefined) {
    const missing = Object.entries({ "--q": q, "--k": k, "--v": v }).filter(([, path]) => path === undefined);
    throw new UsageError({
      where: "--q, --k, --v",
      got: `no ${missing.map(([option]) => option).join(" and no ")}`,
      expected: "all three or none",
    });
  }
  return { q: await openNpy("--q", q), k: await openNpy("--k", k), v: await openNpy("--v", v) };
}

async function openNpy(option: string, path: string): Promise<StoredTensor> {
  if (/\.(npz|safetensors)$/i.test(path)) {
    throw new UsageError({
      where: option,
      got: path,
      expected: "a .npy file",
      mend: "--input takes .npz and .safetensors",
    });
  }
  return (await import("../../io/npy.js")).readNpy(path);
}

async function openArchive(path: string): Promise<StoredInputs> {
  if (/\.safetensors$/i.test(path)) {
    const { readSafetensors } = await import("../../io/safetensors.js");
    const file = await readSafetensors(path);
    return { q: file.tensor("q"), k: file.tensor("k"), v: file.tensor("v") };
  }
  if (/\.npz$/i.test(path)) {
    const { readNpz } = await import("../../io/npz.js");
    const file = await readNpz(path);
    return { q: await file.tensor("q"), k: await file.tensor("k"), v: await file.tensor("v") };
  }
  throw new UsageError({
    where: "--input",
    got: path,
    expected: "a .npz or .safetensors file",
    mend: "--q, --k and --v take .npy files",
  });
}
