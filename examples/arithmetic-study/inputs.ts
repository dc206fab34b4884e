import { generateNormal } from "fusemax";
import type { Matrix } from "#fusemax/emulator/golden/encode";
import { float64Attention } from "../sentence-encoder/attention.js";
import { attentionInputs } from "../sentence-encoder/encoder.js";
import { loadModel } from "../sentence-encoder/model.js";
import { readText } from "../sentence-encoder/text.js";
import type { Head } from "./head.js";

/** E = F of the generated inputs, and their seed. */
const width = 64;
const seed = 0;

export interface Size {
  readonly queries: number;
  readonly keys: number;
}

const normal = (name: "q" | "k" | "v", rows: number, spread = 1): Matrix => ({
  rows,
  columns: width,
  values: Float64Array.from(generateNormal(seed, name, rows * width, spread)),
});

/** Normal Q, K and V; `spread` is the standard deviation of the scaled scores, in nats. */
export const normalHead = ({ queries, keys }: Size, spread = 1): Head => ({
  name: `normal, spread ${spread}`,
  q: normal("q", queries, spread),
  k: normal("k", keys),
  v: normal("v", keys),
  scale: 1 / Math.sqrt(width),
});

/** The same with scores that rise by `perTile` in log2 from one tile of keys to the next. */
export const risingHead = (size: Size, perTile: number, m0: number): Head => ({
  ...normalHead(size),
  name: `rising by 2^${perTile} a tile`,
  bias: key => perTile * Math.floor(key / m0),
});

/** Key 0 is a sink: its score is `above` the mean of the others, in log2, and its value is zero. */
export function sinkHead(size: Size, above: number): Head {
  const head = normalHead(size);
  const values = head.v.values.slice().fill(0, 0, width);
  return {
    ...head,
    name: `sink 2^${above} above the mean`,
    v: { ...head.v, values },
    bias: key => (key === 0 ? above : 0),
  };
}

/** Four channels of K are far from zero, each at `offset` standard deviations for every key, as in language models. */
export function outlierHead(size: Size, offset: number): Head {
  const head = normalHead(size);
  const values = head.k.values.map((x, i) => (i % 16 === 5 ? x + offset : x));
  return { ...head, name: `outlier channels of K, ${offset} sigma`, k: { ...head.k, values } };
}

/** A head of the sentence encoder's attention on its text: `queries` of its tokens, spread evenly. */
export async function encoderHead(layer: number, head: number, { queries, keys }: Size): Promise<Head> {
  const model = await loadModel();
  const ids = model.tokenizer.encode(await readText());
  const tokens = Array.from({ length: keys }, (_, i) => ids[i % ids.length] as number);
  const inputs = await attentionInputs(model, tokens, layer, float64Attention);
  const { headDim, scale } = inputs;
  const rowsOf = (tensor: Float64Array): Float64Array =>
    Float64Array.from(tensor.subarray(head * keys * headDim, (head + 1) * keys * headDim), Math.fround);
  const all = rowsOf(inputs.q);
  const some = Array.from({ length: queries }, (_, i) => Math.floor(((i + 0.5) * keys) / queries));
  const q = Float64Array.from(some.flatMap(p => [...all.subarray(p * headDim, (p + 1) * headDim)]));
  const matrix = (rows: number, values: Float64Array): Matrix => ({ rows, columns: headDim, values });
  return {
    name: `encoder, layer ${layer}, head ${head}`,
    q: matrix(queries, q),
    k: matrix(keys, rowsOf(inputs.k)),
    v: matrix(keys, rowsOf(inputs.v)),
    scale,
  };
}
