import { existsSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { InputError } from "../../errors.js";
import { listed } from "../listed.js";
import { readBytes } from "../read-bytes.js";
import type { StoredTensor } from "../stored-tensor.js";
import { systemError } from "../system-error.js";
import { tensorOfBytes } from "./tensor.js";

const mostTensorBytes = 2 ** 31 - 1;

/** Tensors of a folder of test data: what a graph is given, and what it is to give. */
export interface TestData {
  readonly folder: string;
  /** By the graph's names. */
  readonly inputs: ReadonlyMap<string, StoredTensor>;
  readonly outputs: ReadonlyMap<string, StoredTensor>;
}

/**
 * The folder beside a model that holds its test data: `test_data_set_0` of a node test of ONNX, the only one there is.
 * @throws InputError where there is none, or more than one.
 */
export function testDataBeside(model: string): string {
  const folder = dirname(model);
  const names = namesIn(folder).filter(name => /^test_data_set_\d+$/.test(name));
  const [only, second] = names;
  if (only !== undefined && second === undefined) return join(folder, only);
  throw new InputError({
    where: folder,
    got: only === undefined ? "no folder test_data_set_0 beside the model" : listed(names),
    expected: "one folder of test data",
    fix: "--onnx-data FOLDER says which",
  });
}

/**
 * Reads a folder of test data. `input_0.pb`, `input_1.npy`, … are the graph's inputs in their order, `output_0.pb`, … its
 * outputs; `NAME.pb` and `NAME.npy` go by the graph's own names, as do the arrays of .npz files.
 * @throws InputError for a file that cannot be read and for inputs that are missing.
 */
export async function readTestData(
  folder: string,
  graph: { readonly graphInputs: readonly string[]; readonly graphOutputs: readonly string[] },
): Promise<TestData> {
  const files = namesIn(folder);
  const archives = await Promise.all(
    files
      .filter(file => /\.npz$/i.test(file))
      .map(async file => (await import("../npz.js")).readNpz(join(folder, file))),
  );
  const find = async (name: string, numbered: string): Promise<StoredTensor | null> => {
    for (const stem of [numbered, name]) {
      const path = join(folder, stem);
      if (files.includes(`${stem}.pb`)) return readPb(`${path}.pb`);
      if (files.includes(`${stem}.npy`)) return (await import("../npy.js")).readNpy(`${path}.npy`);
      const archive = archives.find(({ names }) => names.includes(stem));
      if (archive !== undefined) return archive.tensor(stem);
    }
    return null;
  };
  const all = async (names: readonly string[], what: string): Promise<ReadonlyMap<string, StoredTensor>> => {
    const found = new Map<string, StoredTensor>();
    for (const [i, name] of names.entries()) {
      const tensor = await find(name, `${what}_${i}`);
      if (tensor !== null) found.set(name, tensor);
    }
    return found;
  };
  const inputs = await all(graph.graphInputs, "input");
  const missing = graph.graphInputs.filter(name => !inputs.has(name));
  if (missing.length > 0) {
    const i = graph.graphInputs.indexOf(missing[0] ?? "");
    throw new InputError({
      where: folder,
      got: `the files ${listed(files)}`,
      expected: `a tensor for each of ${listed(missing)}: input_${i}.pb or .npy, ${missing[0]}.npy, or a .npz with it`,
    });
  }
  return { folder, inputs, outputs: await all(graph.graphOutputs, "output") };
}

const readPb = async (path: string): Promise<StoredTensor> =>
  tensorOfBytes(path, await readBytes(path, mostTensorBytes, "a tensor of ONNX"));

function namesIn(folder: string): readonly string[] {
  try {
    return existsSync(folder) ? readdirSync(folder).sort() : [];
  } catch (error) {
    throw new InputError(
      { where: folder, got: systemError(error), expected: "a folder of test data" },
      { cause: error },
    );
  }
}
