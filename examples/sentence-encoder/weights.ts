import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { InputError } from "fusemax";

/** The named tensors of a TensorFlow.js graph model, as its weights manifest lists them. */
export interface Weights {
  /** A float32 tensor of exactly this shape (leading ones aside), widened to float64. */
  tensor(name: string, shape: readonly number[]): Float64Array;
  /** A float32 or int32 scalar. */
  scalar(name: string): number;
}

interface ManifestEntry {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly quantization?: unknown;
}

interface ModelJson {
  readonly weightsManifest: readonly {
    readonly paths: readonly string[];
    readonly weights: readonly ManifestEntry[];
  }[];
}

interface StoredTensor extends ManifestEntry {
  readonly values: Float32Array | Int32Array;
}

/**
 * Reads `model.json` and the shards beside it: each group's shards end to end are its tensors end to end, little-endian.
 * Throws InputError on a quantized tensor, a type other than float32 and int32, or shards that are too short or too long.
 */
export async function loadWeights(modelJson: string): Promise<Weights> {
  const model = JSON.parse(await readFile(modelJson, "utf8")) as ModelJson;
  const stored = new Map<string, StoredTensor>();
  for (const { paths, weights } of model.weightsManifest) {
    const shards = await Promise.all(paths.map(path => readFile(join(dirname(modelJson), path))));
    const bytes = new Uint8Array(Buffer.concat(shards)).buffer;
    let offset = 0;
    for (const entry of weights) {
      const length = entry.shape.reduce((product, size) => product * size, 1);
      stored.set(entry.name, { ...entry, values: view(modelJson, entry, bytes, offset, length) });
      offset += 4 * length;
    }
    if (offset !== bytes.byteLength) {
      throw new InputError({
        where: modelJson,
        got: `${bytes.byteLength} bytes of weights`,
        expected: `${offset} bytes, the sum of the manifest`,
      });
    }
  }

  const find = (name: string, shape: readonly number[]): StoredTensor => {
    const found = stored.get(name);
    const got = found?.shape.join(", ").replace(/^(1, )+/, "");
    if (found !== undefined && got === shape.join(", ")) return found;
    throw new InputError({
      where: `${modelJson} ${name}`,
      got: found === undefined ? "no such tensor" : `shape [${got}]`,
      expected: `a tensor of shape [${shape.join(", ")}]`,
    });
  };
  return {
    tensor: (name, shape) => Float64Array.from(find(name, shape).values),
    scalar: name => find(name, []).values[0] as number,
  };
}

function view(
  where: string,
  entry: ManifestEntry,
  bytes: ArrayBuffer,
  offset: number,
  length: number,
): StoredTensor["values"] {
  if (entry.quantization !== undefined || (entry.dtype !== "float32" && entry.dtype !== "int32")) {
    throw new InputError({
      where: `${where} ${entry.name}`,
      got: entry.quantization === undefined ? entry.dtype : `quantized ${entry.dtype}`,
      expected: "plain float32 or int32",
    });
  }
  if (offset + 4 * length > bytes.byteLength) {
    throw new InputError({
      where: `${where} ${entry.name}`,
      got: `shards of ${bytes.byteLength} bytes`,
      expected: `at least ${offset + 4 * length}`,
      fix: "install the package again",
    });
  }
  return entry.dtype === "float32" ? new Float32Array(bytes, offset, length) : new Int32Array(bytes, offset, length);
}
