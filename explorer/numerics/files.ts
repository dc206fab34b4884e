import type { AttentionShape } from "../../src/attention/shape.js";
import { besideNames } from "../../src/cli/run/beside-names.js";
import { type StoredInputs, shapeOfInputs } from "../../src/cli/run/input-shape.js";
import { type LoadedMask, loadMask, maskNames } from "../../src/cli/run/mask-planes.js";
import { InputError } from "../../src/errors.js";
import { blobSource } from "../../src/io/byte-source.js";
import { npyTensor } from "../../src/io/npy-format.js";
import { parseSafetensors } from "../../src/io/safetensors-format.js";
import type { StoredTensor } from "../../src/io/stored-tensor.js";
import { onlyTensorOf } from "../../src/io/tensor-archive.js";
import type { GivenMask } from "./attention.js";

export interface DroppedInputs {
  readonly inputs: StoredInputs;
  readonly shape: AttentionShape;
  /** The command line's options for the same files. */
  readonly options: string;
}

/**
 * Opens a .safetensors file with q, k and v, or the three as .npy files named for them; reads headers only.
 * @throws InputError for anything else, and for shapes that don't fit each other
 */
export async function openFiles(files: readonly File[]): Promise<DroppedInputs> {
  const [first] = files;
  if (first !== undefined && files.length === 1 && /\.safetensors$/i.test(first.name)) {
    const archive = await parseSafetensors(blobSource(first, first.name));
    const beside = besideNames.filter(name => archive.names.includes(name));
    if (beside.length > 0) {
      throw new InputError({
        where: first.name,
        got: `${beside.join(", ")} beside q, k and v`,
        expected: "q, k and v alone",
        fix: "Mask and Cap of the scores take the others, a mask as a file of its own",
      });
    }
    const inputs = { q: archive.tensor("q"), k: archive.tensor("k"), v: archive.tensor("v") };
    return { inputs, shape: shapeOfInputs(inputs), options: `--input ${first.name}` };
  }
  const named = (letter: string) => files.find(({ name }) => new RegExp(`(^|[^a-z])${letter}\\.npy$`, "i").test(name));
  const [q, k, v] = [named("q"), named("k"), named("v")];
  if (q === undefined || k === undefined || v === undefined || files.length !== 3) {
    throw new InputError({
      where: "files",
      got: files.map(({ name }) => name).join(", ") || "none",
      expected: "one .safetensors file with q, k and v, or three files q.npy, k.npy and v.npy",
    });
  }
  const open = (file: File): Promise<StoredTensor> => npyTensor(blobSource(file, file.name));
  const inputs = { q: await open(q), k: await open(k), v: await open(v) };
  return { inputs, shape: shapeOfInputs(inputs), options: `--q ${q.name} --k ${k.name} --v ${v.name}` };
}

/** The truth values of a mask. @throws InputError */
export async function openMask({ choice, file }: GivenMask): Promise<LoadedMask> {
  const source = blobSource(file, file.name);
  const stored = /\.safetensors$/i.test(file.name)
    ? await onlyTensorOf(await parseSafetensors(source), file.name, maskNames)
    : await npyTensor(source);
  return loadMask(choice, stored);
}
