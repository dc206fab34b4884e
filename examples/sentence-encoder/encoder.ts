import { setImmediate } from "node:timers/promises";
import type { Attention, LayerInputs } from "./attention.js";
import { add, layerNorm, type Matrix, matrix, meanOfRows, multiply, relu, sum } from "./linear.js";
import type { Affine, EncoderModel, LayerWeights } from "./model.js";

/** So many rows at a time, so that Ctrl-C is heard. */
const rowsAtOnce = 2048;

/**
 * The encoder's forward pass: token ids to an embedding of length 1, [512]. All of it is float64 but for what
 * `attention` does. Any number of tokens from 1 on; the model itself was trained on, and its own graph clips to, the
 * first `model.clipLength`.
 */
export async function encode(model: EncoderModel, ids: readonly number[], attention: Attention): Promise<Float64Array> {
  let stream = await embed(model, ids);
  for (const index of model.layers.keys()) stream = await runLayer(model, index, stream, attention);
  const pooled = (await apply(model.head, meanOfRows(stream))).data.map(Math.tanh);
  // The graph keeps the squared length above 1e-12; a tanh layer with biases never comes near.
  const length = Math.sqrt(sum(pooled.map(x => x * x)));
  return pooled.map(x => x / length);
}

/** What the attention of layer `index` gets to see when the layers before it run with `attention`. */
export async function attentionInputs(
  model: EncoderModel,
  ids: readonly number[],
  index: number,
  attention: Attention,
): Promise<LayerInputs> {
  let stream = await embed(model, ids);
  for (let before = 0; before < index; before++) stream = await runLayer(model, before, stream, attention);
  return project(model, index, stream);
}

/** Twice the piece's embedding plus the sine and cosine of the position: the graph adds the embedding both before and after. */
async function embed({ embeddings, width, frequencies }: EncoderModel, ids: readonly number[]): Promise<Matrix> {
  const stream = matrix(ids.length, width);
  for (const [position, id] of ids.entries()) {
    if (position % rowsAtOnce === 0) await setImmediate();
    for (let j = 0; j < width; j++) {
      const angle = position * (frequencies[j % frequencies.length] as number);
      const signal = j < frequencies.length ? Math.sin(angle) : Math.cos(angle);
      stream.data[position * width + j] = 2 * (embeddings[id * width + j] as number) + signal;
    }
  }
  return stream;
}

/** One pre-norm layer: attention and feed-forward network, each added to what came in. */
async function runLayer(model: EncoderModel, index: number, stream: Matrix, attention: Attention): Promise<Matrix> {
  const layer = layerOf(model, index);
  const inputs = await project(model, index, stream);
  const mixed = mergeHeads(await attention(inputs), inputs);
  const residual = layer.residual === null ? stream : await apply(layer.residual, stream);
  const attended = add(await apply(layer.output, mixed), residual);
  const normed = layerNorm(attended, layer.feedForwardNorm.gain, layer.feedForwardNorm.bias, model.epsilon);
  return add(await apply(layer.contract, relu(await apply(layer.expand, normed))), attended);
}

/** Queries, keys and values of a layer from the stream that enters it. */
async function project(model: EncoderModel, index: number, stream: Matrix): Promise<LayerInputs> {
  const { heads, headDim, scale, attentionNorm, qkv } = layerOf(model, index);
  const all = await apply(qkv, layerNorm(stream, attentionNorm.gain, attentionNorm.bias, model.epsilon));
  const part = (which: number): Float64Array => splitHeads(all, which * heads, heads, headDim);
  return { layer: index, heads, tokens: stream.rows, headDim, scale, q: part(0), k: part(1), v: part(2) };
}

function layerOf(model: EncoderModel, index: number): LayerWeights {
  const layer = model.layers[index];
  if (layer === undefined) throw new RangeError(`no layer ${index}: the model has ${model.layers.length}`);
  return layer;
}

async function apply({ kernel, bias }: Affine, { rows, columns, data }: Matrix): Promise<Matrix> {
  const all = matrix(rows, kernel.n);
  for (let start = 0; start < rows; start += rowsAtOnce) {
    const end = Math.min(start + rowsAtOnce, rows);
    const some = matrix(end - start, columns, data.subarray(start * columns, end * columns));
    all.data.set(multiply(some, kernel, bias).data, start * kernel.n);
    await setImmediate();
  }
  return all;
}

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
function mergeHeads(split: Float64Array, { heads, tokens, headDim }: LayerInputs): Matrix {
  const merged = matrix(tokens, heads * headDim);
  for (let h = 0; h < heads; h++) {
    for (let row = 0; row < tokens; row++) {
      const start = (h * tokens + row) * headDim;
      merged.data.set(split.subarray(start, start + headDim), (row * heads + h) * headDim);
    }
  }
  return merged;
}
