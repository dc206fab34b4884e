import type { Attention } from "./attention.js";
import { add, layerNorm, type Matrix, matrix, meanOfRows, multiply, relu, sum } from "./linear.js";
import type { Affine, EncoderModel, LayerWeights } from "./model.js";

/**
 * The encoder's forward pass: token ids to an embedding of length 1, [512]. All of it is float64 but for what
 * `attention` does. Any number of tokens from 1 on; the model itself was trained on, and its own graph clips to, the
 * first `model.clipLength`.
 */
export async function encode(model: EncoderModel, ids: readonly number[], attention: Attention): Promise<Float64Array> {
  let stream = embed(model, ids);
  for (const [index, layer] of model.layers.entries()) {
    stream = await attend(model, layer, index, stream, attention);
    stream = feedForward(model, layer, stream);
  }
  const pooled = apply(model.head, meanOfRows(stream)).data.map(Math.tanh);
  // The graph keeps the squared length above 1e-12; a tanh layer with biases never comes near.
  const length = Math.sqrt(sum(pooled.map(x => x * x)));
  return pooled.map(x => x / length);
}

/** Twice the piece's embedding plus the sine and cosine of the position: the graph adds the embedding both before and after. */
function embed({ embeddings, width, frequencies }: EncoderModel, ids: readonly number[]): Matrix {
  const stream = matrix(ids.length, width);
  for (const [position, id] of ids.entries()) {
    for (let j = 0; j < width; j++) {
      const angle = position * (frequencies[j % frequencies.length] as number);
      const signal = j < frequencies.length ? Math.sin(angle) : Math.cos(angle);
      stream.data[position * width + j] = 2 * (embeddings[id * width + j] as number) + signal;
    }
  }
  return stream;
}

/** Residual + output(attention(qkv(norm(stream)))). */
async function attend(
  { epsilon }: EncoderModel,
  layer: LayerWeights,
  index: number,
  stream: Matrix,
  attention: Attention,
): Promise<Matrix> {
  const { heads, headDim, scale } = layer;
  const tokens = stream.rows;
  const normed = layerNorm(stream, layer.attentionNorm.gain, layer.attentionNorm.bias, epsilon);
  const qkv = apply(layer.qkv, normed);
  const part = (which: number): Float64Array => splitHeads(qkv, which * heads, heads, headDim);
  const inputs = { layer: index, heads, tokens, headDim, scale, q: part(0), k: part(1), v: part(2) };
  const mixed = mergeHeads(await attention(inputs), heads, tokens, headDim);
  const residual = layer.residual === null ? stream : apply(layer.residual, stream);
  return add(apply(layer.output, mixed), residual);
}

/** Stream + contract(relu(expand(norm(stream)))). */
function feedForward({ epsilon }: EncoderModel, layer: LayerWeights, stream: Matrix): Matrix {
  const normed = layerNorm(stream, layer.feedForwardNorm.gain, layer.feedForwardNorm.bias, epsilon);
  return add(apply(layer.contract, relu(apply(layer.expand, normed))), stream);
}

const apply = ({ kernel, bias }: Affine, x: Matrix): Matrix => multiply(x, kernel, bias);

/** Columns of heads `first` to `first + heads` of [tokens, …] as [heads, tokens, headDim]. */
function splitHeads({ rows, columns, data }: Matrix, first: number, heads: number, headDim: number): Float64Array {
  const split = new Float64Array(heads * rows * headDim);
  for (let h = 0; h < heads; h++) {
    for (let row = 0; row < rows; row++) {
      const start = row * columns + (first + h) * headDim;
      split.set(data.subarray(start, start + headDim), (h * rows + row) * headDim);
    }
  }
  return split;
}

/** [heads, tokens, headDim] as [tokens, heads · headDim]. */
function mergeHeads(split: Float64Array, heads: number, tokens: number, headDim: number): Matrix {
  const merged = matrix(tokens, heads * headDim);
  for (let h = 0; h < heads; h++) {
    for (let row = 0; row < tokens; row++) {
      const start = (h * tokens + row) * headDim;
      merged.data.set(split.subarray(start, start + headDim), (row * heads + h) * headDim);
    }
  }
  return merged;
}
