import { InputError } from "../errors.js";
import { writeAtomically } from "./atomic-write.js";
import { readWhole } from "./byte-source.js";
import { fileSource } from "./bytes.js";
import { type FloatValues, floatTypeOf } from "./float-pieces.js";
import { listed } from "./listed.js";
import { describeStart, npyTensor } from "./npy-format.js";
import type { ReadAs } from "./read-as.js";
import type { StoredTensor } from "./stored-tensor.js";
import { npyHeader } from "./tensor-file.js";
import { readZip } from "./zip.js";
import { zipParts } from "./zip-write.js";

/** A .npz archive (numpy.savez, numpy.savez_compressed): arrays by name. */
export interface NpzFile {
  readonly names: readonly string[];
  /** @throws InputError when there is no such array or its values are of no type that is read. */
  tensor(name: string, readAs?: ReadAs): Promise<StoredTensor>;
}

/**
 * Writes arrays by name as a .npz archive, uncompressed, whole or not at all.
 * @throws UsageError for 4 GiB and more, InputError when the path can't be written.
 * @example
 * ```ts
 * import { writeNpz } from "fusemax/node";
 *
 * await writeNpz("qkv.npz", [{ name: "q", shape: [2], values: new Float32Array(2) }]);
 * ```
 */
export async function writeNpz(
  path: string,
  arrays: readonly { readonly name: string; readonly shape: readonly number[]; readonly values: FloatValues }[],
): Promise<void> {
  const members = arrays.map(({ name, shape, values }) => ({
    name: `${name}.npy`,
    parts: [npyHeader(shape, floatTypeOf(values)), values],
  }));
  await writeAtomically(path, zipParts(path, members));
}

/**
 * @throws InputError when the file is missing, cut short or no zip archive.
 * @example
 * ```ts
 * import { readNpz, writeNpz } from "fusemax/node";
 *
 * await writeNpz("qkv.npz", [{ name: "q", shape: [2], values: new Float32Array(2) }]);
 * console.log((await readNpz("qkv.npz")).names); // [ 'q' ]
 * ```
 */
export async function readNpz(path: string): Promise<NpzFile> {
  const archive = await fileSource(path);
  const start = await readWhole(archive, 0, Math.min(8, archive.length));
  if (describeStart(start) !== "a zip archive") {
    throw new InputError({ where: path, got: describeStart(start), expected: "a .npz archive (numpy.savez)" });
  }
  const members = await readZip(archive);
  const names = [...members.keys()].map(member => member.replace(/\.npy$/, ""));
  return {
    names,
    tensor: async (name, readAs) => {
      const member = members.get(`${name}.npy`) ?? members.get(name);
      if (member === undefined) {
        throw new InputError({
          where: path,
          got: `the arrays ${listed(names)}`,
          expected: `an array named ${name}`,
        });
      }
      return npyTensor(member, readAs);
    },
  };
}
