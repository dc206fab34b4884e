import { describe, expect, it } from "vitest";
import { specFiles } from "../../src/io/spec-files.js";
import { attentionPoints } from "../../src/model/attention-point.js";
import { layerProducts } from "../../src/model/layer.js";
import { loadWorkload } from "../../src/spec/load.js";

/**
 * Parameters of a model's layers, as its makers print them (in billions, embeddings left out by hand): a check that heads, widths,
 * gates and experts are the model's. Norms and biases are not counted: 2%.
 */
const perLayer: Readonly<Record<string, number>> = {
  "gpt-2": 12 * 768 ** 2,
  "gpt-3": (175e9 - 50257 * 12288) / 96,
  "llama-2-7b": (6.738e9 - 2 * 32000 * 4096) / 32,
  "llama-3-8b": (8.03e9 - 2 * 128256 * 4096) / 32,
  "llama-3-70b": (70.55e9 - 2 * 128256 * 8192) / 80,
  "mistral-7b": (7.242e9 - 2 * 32000 * 4096) / 32,
  "mixtral-8x22b": (140.6e9 - 2 * 32768 * 6144) / 56,
  "qwen3-8b": (8.19e9 - 2 * 151936 * 4096) / 36,
  "qwen3-30b-a3b": (30.53e9 - 2 * 151936 * 2048) / 48,
  "gemma-2-9b": (9.24e9 - 256000 * 3584) / 42,
  "phi-3-mini": (3.821e9 - 2 * 32064 * 3072) / 32,
  "vit-l-16": 304e6 / 24,
  "whisper-large-encoder": 12 * 1280 ** 2,
};

const products = (name: string) => {
  const workload = loadWorkload(specFiles, name);
  const [point] = attentionPoints(workload, { phase: "prefill", seq: 4096, batch: 1, decodeQueries: 1 });
  return point === undefined ? [] : layerProducts(workload, point);
};

describe("workloads", () => {
  it.each(specFiles.names("workloads"))("%s is a workload with a source", name => {
    const { source, heads, kvHeads } = loadWorkload(specFiles, name);
    expect(source.length).toBeGreaterThan(20);
    expect(heads % kvHeads).toBe(0);
  });

  it.each(Object.entries(perLayer))("%s has the parameters that its makers print", (name, wanted) => {
    const found = products(name).reduce((sum, { inputs, outputs, copies }) => sum + inputs * outputs * copies, 0);
    expect(Math.abs(found / wanted - 1), `${found} for ${wanted}`).toBeLessThan(0.02);
  });

  it("DeepSeek-V3 has its 671 billion parameters but for the embeddings and three dense layers, in both forms", () => {
    const wanted = (671e9 - 2 * 129280 * 7168 - 3 * 0.58e9) / 58;
    for (const name of ["deepseek-v3-expanded", "deepseek-v3-absorbed"]) {
      const found = products(name).reduce((sum, { inputs, outputs, copies }) => sum + inputs * outputs * copies, 0);
      expect(Math.abs(found / wanted - 1), String(found)).toBeLessThan(0.02);
    }
  });

  it("a token meets its active experts only, a batch at most all", () => {
    const workload = loadWorkload(specFiles, "qwen3-30b-a3b");
    const experts = (batch: number) => {
      const [point] = attentionPoints(workload, { phase: "decode", seq: 4096, batch, decodeQueries: 1 });
      return point && layerProducts(workload, point).find(({ name }) => name === "experts up");
    };
    expect(experts(1)).toMatchObject({ rows: 1, copies: 8 });
    expect(experts(16)).toMatchObject({ rows: 1, copies: 128 });
    expect(experts(64)).toMatchObject({ rows: 4, copies: 128 });
  });
});

describe("a workload that contradicts itself is refused at its field", () => {
  const model = (name: string, from: string, to: string) => () =>
    loadWorkload(
      {
        names: specFiles.names,
        read: (kind, wanted) => {
          const spec = specFiles.read(kind, wanted);
          const text = spec?.text.replace(from, to);
          expect(text).not.toBe(spec?.text);
          return text === undefined ? undefined : { file: "model.yaml", text };
        },
      },
      name,
    );
  it.each([
    [
      "llama-3-8b",
      "kvHeads: 8",
      "kvHeads: 5",
      /^model\.yaml:\d+:1 kvHeads: got 5; expected a divisor of the query heads/,
    ],
    [
      "deepseek-v3-absorbed",
      "valueDim: 512",
      "valueDim: 577",
      /^model\.yaml:\d+:1 valuesInKeys: got true; expected values no wider than keys/,
    ],
    [
      "mixtral-8x22b",
      "active: 2",
      "active: 9",
      /^model\.yaml:\d+:\d+ experts\.active: got 9; expected at most the routed experts/,
    ],
  ])("%s with %s as %s", (name, from, to, message) => expect(model(name, from, to)).toThrow(message));
});
