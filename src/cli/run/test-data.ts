import type { Operands } from "../../attention/problem.js";
import type { OnnxComparison } from "../../report/onnx-comparison.js";
import type { RunModel } from "../onnx/run-model.js";
import type { RunPlan } from "./plan.js";

/** What a run of a model gave beside its test data. @throws InputError */
export async function comparedWithTestData(
  plan: RunPlan,
  model: RunModel,
  operands: Operands,
  av: Float32Array,
): Promise<OnnxComparison> {
  const { compareOutputs } = await import("../onnx/outputs.js");
  return compareOutputs(plan, model, operands, av);
}
