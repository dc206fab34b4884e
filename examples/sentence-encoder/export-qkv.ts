import { writeSafetensors } from "fusemax/node";
import { float64Attention } from "./attention.js";
import { attentionInputs } from "./encoder.js";
import type { EncoderModel } from "./model.js";

export interface QkvExport {
  readonly file: string;
  readonly layer: number;
  /** How often the text is read in a row, for lengths beyond one text. */
  readonly repeat: number;
}

/**
 * Writes the q, k and v of one layer, each [1, heads, tokens, headDim] in F32, as `fusemax run --input` reads them.
 * The layers before it run in float64. Returns the shape.
 */
export async function exportQkv(
  model: EncoderModel,
  ids: readonly number[],
  { file, layer, repeat }: QkvExport,
): Promise<readonly number[]> {
  const repeated = Array.from({ length: repeat }, () => ids).flat();
  const inputs = await attentionInputs(model, repeated, layer, float64Attention);
  const shape = [1, inputs.heads, inputs.tokens, inputs.headDim];
  const tensors = (["q", "k", "v"] as const).map(name => ({ name, shape, values: Float32Array.from(inputs[name]) }));
  await writeSafetensors(file, tensors, {
    source: `Universal Sentence Encoder Lite, layer ${layer}, text read ${repeat} times`,
    scale: String(inputs.scale),
  });
  return shape;
}
