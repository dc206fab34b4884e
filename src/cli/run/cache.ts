import type { Layout } from "../../attention/layout.js";
import { InputError } from "../../errors.js";
import type { ReadAs } from "../../io/read-as.js";
import type { StoredTensor } from "../../io/stored-tensor.js";
import { appended } from "../../io/tensor-views.js";
import { needs } from "../conflict.js";
import { type InputOptions, readAs } from "./input-files.js";
import { asFourRanks, type LayoutOptions } from "./input-layout.js";
import type { StoredInputs } from "./input-shape.js";
import { openOneTensor } from "./one-tensor.js";

/** The options that name a cache of keys and values from before. */
export interface CacheOptions {
  readonly pastK?: string;
  readonly pastV?: string;
  readonly presentK?: string;
  readonly presentV?: string;
}

/** K and V of a cache, [B, Hkv, Mp, E] and [B, Hkv, Mp, F]. */
export interface Past {
  readonly k: StoredTensor;
  readonly v: StoredTensor;
}

/** Opens the cache that the options name, headers only; null when none is. @throws UsageError, InputError */
export async function openPast(
  options: CacheOptions & LayoutOptions & Pick<InputOptions, "dtype">,
): Promise<Past | null> {
  const { pastK, pastV, layout = "bhsd", dtype = {} } = options;
  if (pastK === undefined && pastV === undefined) return null;
  if (pastK === undefined || pastV === undefined) {
    const [where, missing] = pastK === undefined ? ["--past-v", "--past-k"] : ["--past-k", "--past-v"];
    throw needs(where, missing);
  }
  return {
    k: await openCache("--past-k", pastK, ["past_k", "past_key", "k", "key"], layout, options, readAs("k", dtype)),
    v: await openCache("--past-v", pastV, ["past_v", "past_value", "v", "value"], layout, options, readAs("v", dtype)),
  };
}

async function openCache(
  option: string,
  path: string,
  names: readonly string[],
  layout: Layout,
  { heads, kvHeads }: LayoutOptions,
  as: ReadAs,
): Promise<StoredTensor> {
  return asFourRanks(await openOneTensor(option, path, names, as), layout, kvHeads ?? heads);
}

/** K and V after those of a cache, head by head. @throws InputError where they do not fit */
export function withPast(inputs: StoredInputs, past: Past | null): StoredInputs {
  if (past === null) return inputs;
  requireFit(past.k, inputs.k, "k", "E");
  requireFit(past.v, inputs.v, "v", "F");
  const [keys, values] = [past.k.shape[2], past.v.shape[2]];
  if (keys !== values) {
    throw new InputError({
      where: past.v.where,
      got: `${values} past values in shape [${past.v.shape.join(", ")}]`,
      expected: `${keys}, as there are past keys`,
    });
  }
  return { q: inputs.q, k: appended(past.k, inputs.k), v: appended(past.v, inputs.v) };
}

function requireFit(past: StoredTensor, now: StoredTensor, name: string, width: string): void {
  for (const [axis, rank] of [
    [0, "B"],
    [1, "Hkv"],
    [3, width],
  ] as const) {
    if (past.shape[axis] === now.shape[axis]) continue;
    throw new InputError({
      where: past.where,
      got: `${rank} ${past.shape[axis]} in shape [${past.shape.join(", ")}]`,
      expected: `${now.shape[axis]}, as in ${name} [${now.shape.join(", ")}]`,
    });
  }
}
