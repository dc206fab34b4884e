import { dirname, join } from "node:path";
import { z } from "zod";
import { InputError } from "../errors.js";
import { listed } from "./listed.js";
import { readTextFile } from "./regular-file.js";
import { readSafetensors, type SafetensorsFile } from "./safetensors.js";
import type { TensorArchive } from "./tensor-archive.js";

// The index of a sharded checkpoint, as the Hugging Face Hub has it: {"metadata": …, "weight_map": {TENSOR: SHARD}}.

/** Those of models with half a million tensors. */
const mostBytes = 32 * 2 ** 20;
const expected = 'the index of a sharded model, {"weight_map": {"TENSOR": "SHARD.safetensors"}}';

/** A shard lies beside its index: a name that leads elsewhere is not followed. */
const shardName = z.string().regex(/^[^/\\]+\.safetensors$/i, "not a .safetensors file of the index's own folder");
const indexSchema = z.object({ weight_map: z.record(z.string(), shardName) });

/** Opens the index of a sharded .safetensors file. A shard is opened when a tensor of it is asked for. @throws InputError */
export function readIndex(path: string): TensorArchive {
  const shardOf = new Map(Object.entries(weightMap(path)));
  const names = [...shardOf.keys()];
  const open = new Map<string, Promise<SafetensorsFile>>();
  return {
    names,
    async tensor(name, readAs) {
      const shard = shardOf.get(name);
      if (shard === undefined) {
        throw new InputError({ where: path, got: `the tensors ${listed(names)}`, expected: `a tensor named ${name}` });
      }
      const file = open.get(shard) ?? readSafetensors(join(dirname(path), shard));
      open.set(shard, file);
      return (await file).tensor(name, readAs);
    },
  };
}

function weightMap(path: string): Readonly<Record<string, string>> {
  const parsed = indexSchema.safeParse(jsonOf(path));
  if (parsed.success) return parsed.data.weight_map;
  const [issue] = parsed.error.issues;
  const at = issue === undefined || issue.path.length === 0 ? "its content" : issue.path.join(".");
  throw new InputError({ where: path, got: `${at}: ${issue?.message ?? "no index"}`, expected });
}

function jsonOf(path: string): unknown {
  const text = readTextFile(path, mostBytes, "the index of a sharded model");
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new InputError({ where: path, got: "another text", expected, problem: "is not JSON" }, { cause: error });
  }
}
