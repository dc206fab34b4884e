import { formatArithmetics, generateNormal, noMask, sampleRows } from "fusemax";
import type { AttentionMask } from "#fusemax/attention/mask";
import type { AttentionInputs } from "#fusemax/emulator/operands";
import { float64Attention, type LayerInputs } from "../sentence-encoder/attention.js";
import { attentionInputs } from "../sentence-encoder/encoder.js";
import { loadModel } from "../sentence-encoder/model.js";
import { readText } from "../sentence-encoder/text.js";
import { type Attention, Subject } from "./subject.js";

/** E = F of the random inputs, and their seed. */
const headDim = 64;
const seed = 0;

export type MaskName = "full" | "causal";
const masks: Readonly<Record<MaskName, AttentionMask>> = { full: noMask, causal: { ...noMask, right: 0 } };

/** The same keys and values for every length: a shorter sequence is the beginning of a longer one. */
const longest = new Map<"k" | "v", Float32Array>();

function keysOrValues(name: "k" | "v", length: number): Float32Array {
  const known = longest.get(name);
  if (known !== undefined && known.length >= length) return known.subarray(0, length);
  const made = generateNormal(seed, name, length);
  longest.set(name, made);
  return made;
}

/**
 * One head of normal Q, K and V with E = F = 64. `spread` is the standard deviation of the scores scale * q.k. Full attention has as
 * many queries as there are sampled rows; causal attention has as many as keys, of which `rows` are sampled evenly.
 */
export function randomSubject(keys: number, spread: number, maskName: MaskName, rows: number): Subject {
  const queries = maskName === "full" ? rows : keys;
  const inputs: AttentionInputs = {
    q: generateNormal(seed, "q", queries * headDim, spread),
    k: keysOrValues("k", keys * headDim),
    v: keysOrValues("v", keys * headDim),
  };
  return subject(inputs, { heads: 1, queries, keys, headDim, scale: 1 / Math.sqrt(headDim) }, maskName, rows);
}

/** What the sentence encoder's layers give their attention for a text of `tokens` tokens, the shipped one read over and over. */
export async function encoderInputs(layer: number, tokens: number): Promise<LayerInputs> {
  const model = await loadModel();
  const ids = model.tokenizer.encode(await readText());
  const repeated = Array.from({ length: tokens }, (_, i) => ids[i % ids.length] as number);
  return await attentionInputs(model, repeated, layer, float64Attention);
}

/** The encoder's attention over its first `tokens` tokens, all heads; rows are sampled evenly over heads and positions. */
export function encoderSubject(layer: LayerInputs, maskName: MaskName, rows: number): Subject {
  const { heads, headDim, scale, tokens } = layer;
  const fp32 = (tensor: Float64Array): Float32Array => Float32Array.from(tensor);
  const inputs = { q: fp32(layer.q), k: fp32(layer.k), v: fp32(layer.v) };
  return subject(inputs, { heads, queries: tokens, keys: tokens, headDim, scale }, maskName, rows);
}

interface Sizes {
  readonly heads: number;
  readonly queries: number;
  readonly keys: number;
  readonly headDim: number;
  readonly scale: number;
}

function subject(
  inputs: AttentionInputs,
  { heads, queries, keys, headDim: dim, scale }: Sizes,
  maskName: MaskName,
  rows: number,
): Subject {
  const shape = { batch: 1, heads, kvHeads: heads, queries, keys, headDim: dim, valueDim: dim };
  const mask = masks[maskName];
  const problem = { shape, mask, scale, arithmetic: formatArithmetics.fp32, tile: { m0: 1, p0: 1 } };
  const attention: Attention = { shape, mask, scale, inputs, rows: sampleRows(problem, rows) };
  return new Subject(attention);
}
