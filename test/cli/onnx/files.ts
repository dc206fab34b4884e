import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type ModelParts, modelProto, type TensorParts, tensorProto } from "../../io/onnx-files.js";

export type NamedTensor = TensorParts & { readonly name: string };

/** Writes a tensor to a path without its ending. */
export type WriteTensor = (path: string, tensor: NamedTensor) => void;

const asPb: WriteTensor = (path, tensor) => writeFileSync(`${path}.pb`, tensorProto(tensor, tensor.name));

/** A folder as ONNX's node tests have it, in a new folder of `folder`: model.onnx, whose path is given, and test_data_set_0. */
export function saveModel(
  folder: string,
  model: ModelParts,
  inputs: readonly NamedTensor[],
  outputs: readonly NamedTensor[],
  write = asPb,
): string {
  const test = mkdtempSync(join(folder, "test-"));
  mkdirSync(join(test, "test_data_set_0"), { recursive: true });
  writeFileSync(join(test, "model.onnx"), modelProto(model));
  const data = (name: string): string => join(test, "test_data_set_0", name);
  for (const [i, tensor] of inputs.entries()) write(data(`input_${i}`), tensor);
  for (const [i, tensor] of outputs.entries()) write(data(`output_${i}`), tensor);
  return join(test, "model.onnx");
}
