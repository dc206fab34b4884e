import type { AttentionShape } from "../../emulator/problem.js";
import { InputError, UsageError } from "../../errors.js";
import type { StoredTensor } from "../../io/stored-tensor.js";

/** The options that name files of Q, K and V. */
export interface InputOptions {
  readonly q?: string;
  readonly k?: string;
  readonly v?: string;
  readonly input?: string;
}

export interface StoredInputs {
  readonly q: StoredTensor;
  readonly k: StoredTensor;
  readonly v: StoredTensor;
}

/** Opens the files that the options name, headers only; null when none is named. @throws UsageError, InputError */
export async function openInputs(options: InputOptions): Promise<StoredInputs | null> {
  const { q, k, v, input } = options;
  if (input !== undefined) {
    if ((q ?? k ?? v) !== undefined) {
      throw new UsageError({ where: "--input", got: "it together with --q, --k or --v", expected: "one or the other" });
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

/** The shape that Q [B,H,P,E], K [B,Hkv,M,E] and V [B,Hkv,M,F] make together. @throws InputError when they don't fit. */
export function shapeOfInputs({ q, k, v }: StoredInputs): AttentionShape {
  const [batch, heads, queries, headDim] = ranks(q, "[B, H, P, E]");
  const [kBatch, kvHeads, keys, kDim] = ranks(k, "[B, Hkv, M, E]");
  const [vBatch, vHeads, vKeys, valueDim] = ranks(v, "[B, Hkv, M, F]");
  const same = (tensor: StoredTensor, what: string, got: number, expected: number, as: string): void => {
    if (got === expected) return;
    const shape = `[${tensor.shape.join(", ")}]`;
    throw new InputError({
      where: tensor.where,
      got: `${what} ${got} in shape ${shape}`,
      expected: `${expected}, as in ${as}`,
    });
  };
  same(k, "B", kBatch, batch, "q");
  same(v, "B", vBatch, batch, "q");
  same(k, "E", kDim, headDim, "q");
  same(v, "Hkv", vHeads, kvHeads, "k");
  same(v, "M", vKeys, keys, "k");
  if (heads % kvHeads !== 0) {
    throw new InputError({ where: k.where, got: `${kvHeads} heads`, expected: `a divisor of the ${heads} heads of q` });
  }
  return { batch, heads, kvHeads, queries, keys, headDim, valueDim };
}

function ranks(tensor: StoredTensor, expected: string): readonly [number, number, number, number] {
  const { shape, where } = tensor;
  const [a, b, c, d] = shape;
  if (a === undefined || b === undefined || c === undefined || d === undefined || shape.length !== 4) {
    throw new InputError({ where, got: `shape [${shape.join(", ")}]`, expected: `four ranks, ${expected}` });
  }
  if (shape.includes(0)) {
    throw new InputError({ where, got: `shape [${shape.join(", ")}]`, expected: `sizes of at least 1, ${expected}` });
  }
  return [a, b, c, d];
}
