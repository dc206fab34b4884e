import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readSafetensors } from "fusemax/node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { float64Attention, type LayerInputs } from "../../examples/sentence-encoder/attention.js";
import { encode } from "../../examples/sentence-encoder/encoder.js";
import { exportQkv } from "../../examples/sentence-encoder/export-qkv.js";
import { loadModel } from "../../examples/sentence-encoder/model.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "fusemax-qkv-"));
});
afterAll(() => rm(folder, { recursive: true }));

describe("the exported q, k and v", () => {
  it.each([0, 1])("are what the attention of layer %d gets to see, in fp32", async layer => {
    const model = await loadModel();
    const ids = model.tokenizer.encode("Down, down, down. Would the fall never come to an end?");
    const seen: LayerInputs[] = [];
    await encode(model, [...ids, ...ids], async inputs => {
      seen.push(inputs);
      return await float64Attention(inputs);
    });
    const file = join(folder, `${layer}.safetensors`);
    const shape = await exportQkv(model, ids, { file, layer, repeat: 2 });
    expect(shape).toEqual([1, 4, 2 * ids.length, layer === 0 ? 64 : 128]);
    const stored = await readSafetensors(file);
    for (const name of ["q", "k", "v"] as const) {
      const tensor = stored.tensor(name);
      expect(tensor.shape).toEqual(shape);
      expect(await tensor.load()).toEqual(Float32Array.from(seen[layer]?.[name] ?? []));
    }
  });
});
