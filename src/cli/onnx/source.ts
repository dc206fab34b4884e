import type { AttentionMask } from "../../attention/mask.js";
import type { Window } from "../../attention/window.js";
import type { ElementType } from "../../io/element-types.js";
import {
  type AttentionInput,
  attentionInputs,
  attentionOutputs,
  readAttentionModel,
} from "../../io/onnx/attention-node.js";
import { readTestData, testDataBeside } from "../../io/onnx/test-data.js";
import type { StoredTensor } from "../../io/stored-tensor.js";
import type { FormatName } from "../../numerics/format.js";
import { conflict } from "../conflict.js";
import type { Corner } from "../mask/choice.js";
import type { RunOptions } from "../run/options.js";
import type { RunSource } from "../run/source.js";
import { translate } from "./translate.js";

/** Options that mean the same beside a model; what a model says itself is refused. */
const besideModel: ReadonlySet<string> = new Set([
  ...["onnx", "onnxData", "design", "cascade", "array", "arithmetic", "format", "kvSplits", "engine"],
  ...["accounting", "correct", "check", "maxError", "json", "output", "outputLayout", "presentK", "presentV"],
  ...["dump", "dumpTile", "resume", "lse", "scores", "jobs", "progress"],
]);

/** The attention of a model of ONNX and its test data. @throws UsageError, InputError */
export async function sourceOfOnnx(options: RunOptions): Promise<RunSource> {
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || besideModel.has(name)) continue;
    const where = `--${name.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`)}`;
    throw conflict(where, "--onnx", "the model and its test data say it");
  }
  const { onnx: path = "", onnxData } = options;
  const model = await readAttentionModel(path);
  const { folder, inputs, outputs } = await readTestData(onnxData ?? testDataBeside(path), model);
  const tensors = new Map<AttentionInput, StoredTensor>();
  for (const input of attentionInputs) {
    const name = model.inputs.get(input);
    const tensor = name === undefined ? undefined : (inputs.get(name) ?? model.held.get(name));
    if (tensor !== undefined) tensors.set(input, tensor);
  }
  const attention = await translate(model, tensors);
  const { shape, mask, scale, softcap, bias, file, files, causal, window, pastKeys } = attention;
  const named = attentionOutputs.flatMap(output => {
    const name = model.outputs.get(output);
    return name === undefined ? [] : [[output, { name, expected: outputs.get(name) ?? null }] as const];
  });
  return {
    workload: {
      ...{ model: null, layers: null, valuesInKeys: false, scaleDim: shape.headDim },
      ...{ shape, mask, scores: {} },
      seen: {
        causal,
        window: [window.left, window.right],
        corner: cornerOf(causal, window, mask),
        masks: mask.planes === undefined ? [] : ["attn_mask"],
      },
    },
    scale,
    ...(softcap === undefined ? {} : { softcap }),
    files,
    addends: bias === undefined ? {} : { bias },
    file,
    pastKeys,
    notes: attention.notes,
    onnx: {
      model: path,
      opset: model.opset,
      data: folder,
      format: formatOfType(attention.type),
      outputMode: attention.outputMode,
      outputs: new Map(named),
    },
  };
}

/** ONNX puts queries at the first key, or after the keys of a cache or of each sequence. */
function cornerOf(causal: boolean, { left, right }: Window, { origin }: AttentionMask): Corner | null {
  if (!causal && left < 0 && right < 0) return null;
  return origin === 0 ? "top-left" : "bottom-right";
}

const formatOfType = (type: ElementType): FormatName => (type === "F16" ? "fp16" : type === "BF16" ? "bf16" : "fp32");
