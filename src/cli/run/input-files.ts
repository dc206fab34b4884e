import { type InputName, inputNames } from "../../attention/shape.js";
import { UsageError } from "../../errors.js";
import type { ElementType } from "../../io/element-types.js";
import { isArchive, openArchive } from "../../io/open-archive.js";
import { codeTypes } from "../../io/read-as.js";
import type { StoredTensor } from "../../io/stored-tensor.js";
import { conflict, needs } from "../conflict.js";
import { namesIn, parseByTensor } from "./input-names.js";
import type { StoredInputs } from "./input-shape.js";

/** The options that name files of Q, K and V. */
export interface InputOptions {
  readonly q?: string;
  readonly k?: string;
  readonly v?: string;
  readonly input?: string;
  readonly names?: Partial<Record<InputName, string>>;
  readonly dtype?: Partial<Record<InputName, ElementType>>;
}

/** Opens the files that the options name, headers only; null when none is named. @throws UsageError, InputError */
export async function openInputs(options: InputOptions): Promise<StoredInputs | null> {
  const { q, k, v, input, names, dtype = {} } = options;
  if (input !== undefined) {
    if ((q ?? k ?? v) !== undefined) {
      throw conflict("--input", "--q, --k or --v");
    }
    return inputsOfArchive(input, names ?? {}, dtype);
  }
  if (names !== undefined) {
    throw needs("--names", "--input FILE");
  }
  if (q === undefined && k === undefined && v === undefined) {
    if (options.dtype === undefined) return null;
    throw needs("--dtype", "input files of such values");
  }
  if (q === undefined || k === undefined || v === undefined) {
    const missing = Object.entries({ "--q": q, "--k": k, "--v": v }).filter(([, path]) => path === undefined);
    throw new UsageError({
      where: "--q, --k, --v",
      got: `no ${missing.map(([option]) => option).join(" and no ")}`,
      expected: "all three or none",
    });
  }
  return { q: await openNpy("q", q, dtype), k: await openNpy("k", k, dtype), v: await openNpy("v", v, dtype) };
}

/** What `--dtype` says of one tensor, and of what a cache has of it. */
export const readAs = (name: InputName, { [name]: as }: NonNullable<InputOptions["dtype"]>) =>
  as === undefined ? { name } : { name, as };

async function openNpy(
  name: InputName,
  path: string,
  dtype: NonNullable<InputOptions["dtype"]>,
): Promise<StoredTensor> {
  if (isArchive(path)) {
    throw new UsageError({
      where: `--${name}`,
      got: path,
      expected: "a .npy file",
      fix: "--input takes .npz and .safetensors",
    });
  }
  return (await import("../../io/npy.js")).readNpy(path, readAs(name, dtype));
}

/** Q, K and V of a file that holds all three. @throws UsageError, InputError */
async function inputsOfArchive(
  path: string,
  given: NonNullable<InputOptions["names"]>,
  dtype: NonNullable<InputOptions["dtype"]>,
): Promise<StoredInputs> {
  const archive = await openArchive("--input", path, "--q, --k and --v take .npy files");
  const names = namesIn(path, archive.names, given);
  const open = async (name: InputName): Promise<StoredTensor> => archive.tensor(names[name], readAs(name, dtype));
  return { q: await open("q"), k: await open("k"), v: await open("v") };
}

/** `--names q=NAME,k=NAME,v=NAME`. @throws UsageError */
export const parseNames = (option: string, text: string): NonNullable<InputOptions["names"]> =>
  parseByTensor(option, text, inputNames);

/** `--dtype q=bf16`. @throws UsageError */
export function parseDtypes(option: string, text: string): NonNullable<InputOptions["dtype"]> {
  const types = Object.entries(parseByTensor(option, text, inputNames)).map(([name, word]) => {
    const type = Object.hasOwn(codeTypes, word.toLowerCase()) ? codeTypes[word.toLowerCase()] : undefined;
    if (type !== undefined) return [name, type] as const;
    throw new UsageError({
      where: option,
      got: `"${word}" for ${name}`,
      expected: `one of ${Object.keys(codeTypes).join(", ")}`,
    });
  });
  return Object.fromEntries(types);
}
