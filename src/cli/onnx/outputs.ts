import { inLayout } from "../../attention/layout.js";
import { noMask } from "../../attention/mask.js";
import type { AttentionProblem, Operands } from "../../attention/problem.js";
import { tensorShapes, valuesOf } from "../../attention/shape.js";
import { type ScoreStage, scoreMatrix } from "../../emulator/score-matrix.js";
import type { AttentionOutput } from "../../io/onnx/attention-node.js";
import { gathered } from "../../io/tensor-views.js";
import type { ComparedOutput, OnnxComparison } from "../../report/onnx-comparison.js";
import { outputSizes } from "../run/input-layout.js";
import { loadOperands } from "../run/inputs.js";
import type { RunPlan } from "../run/plan.js";
import { type ComputedOutput, compareOutput } from "./compare.js";
import type { RunModel } from "./run-model.js";

/**
 * Compares what a run of a model gave with what its test data expect.
 * @throws InputError where shapes differ
 */
export async function compareOutputs(
  plan: RunPlan,
  { model, opset, data, outputMode, outputs }: RunModel,
  operands: Operands,
  av: Float32Array,
): Promise<OnnxComparison> {
  const compared: ComparedOutput[] = [];
  const notCompared: string[] = [];
  for (const [output, { name, expected }] of outputs) {
    if (expected === null) notCompared.push(name);
    else compared.push(await compareOutput(name, await computed(output, outputMode, plan, operands, av), expected));
  }
  return { model, opset, data, outputs: compared, notCompared };
}

async function computed(
  output: AttentionOutput,
  mode: number,
  plan: RunPlan,
  operands: Operands,
  av: Float32Array,
): Promise<ComputedOutput> {
  const sizes = tensorShapes(plan.givenShape);
  if (output === "Y") {
    const { file } = plan;
    return { shape: outputSizes(file, sizes.av), values: inLayout(file.layout, av, sizes.av) };
  }
  if (output === "qk_matmul_output") {
    const { batch, heads, queries, keys } = plan.givenShape;
    return { shape: [batch, heads, queries, keys], values: await scores(mode, plan, operands) };
  }
  const name = output === "present_key" ? "k" : "v";
  return { shape: sizes[name], values: await gathered(plan.given(name), valuesOf(sizes[name])) };
}

const stages: readonly ScoreStage[] = ["raw", "capped", "biased", "softmax"];

/** The scores of a mode: raw and capped ones are of all keys, whatever the mask hides. */
async function scores(mode: number, { problem, pieces }: RunPlan, operands: Operands): Promise<Float32Array> {
  const stage = stages[mode] ?? "raw";
  if (mode > 1) return scoreMatrix(problem, operands, stage);
  const { bias: _, ...rest } = problem;
  const unmasked: AttentionProblem = { ...rest, mask: noMask };
  return scoreMatrix(unmasked, (await loadOperands(pieces, unmasked, {})).operands, stage);
}
