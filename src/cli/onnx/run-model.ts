import type { AttentionOutput } from "../../io/onnx/attention-node.js";
import type { StoredTensor } from "../../io/stored-tensor.js";
import type { FormatName } from "../../numerics/format.js";

/** The model that a run is of. */
export interface RunModel {
  readonly model: string;
  readonly opset: number;
  /** The folder of its test data. */
  readonly data: string;
  /** The number format of its type. */
  readonly format: FormatName;
  /** What the operator's output qk_matmul_output holds. */
  readonly outputMode: number;
  /** The outputs of the operator that the model has, by the model's names, and what the test data expect. */
  readonly outputs: ReadonlyMap<AttentionOutput, { readonly name: string; readonly expected: StoredTensor | null }>;
}
