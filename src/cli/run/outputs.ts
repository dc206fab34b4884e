import { inLayout } from "../../attention/layout.js";
import type { AttentionProblem } from "../../attention/problem.js";
import { tensorShapes } from "../../attention/shape.js";
import type { DumpedTensor } from "../../emulator/javascript/dump.js";
import { type DumpTensor, dumpTensors, type TileDump } from "../../emulator/tile-dump.js";
import { type FileLayout, outputSizes } from "./input-layout.js";

/** Writes AV [B,H,P,F] as fp32 to a .npy or .safetensors file in a layout, whole or not at all. @throws InputError */
export async function writeOutput(
  path: string,
  { shape, arithmetic }: AttentionProblem,
  av: Float32Array,
  file: FileLayout,
): Promise<void> {
  const sizes = tensorShapes(shape).av;
  const tensor = { shape: outputSizes(file, sizes), values: inLayout(file.layout, av, sizes) };
  if (path.toLowerCase().endsWith(".npy")) {
    const { writeNpy } = await import("../../io/npy.js");
    await writeNpy(path, tensor.shape, tensor.values);
  } else {
    const { writeSafetensors } = await import("../../io/safetensors.js");
    await writeSafetensors(path, [{ name: "av", ...tensor }], { format: arithmetic.name });
  }
}

/** Writes a tile's intermediates under the cascade's names, key rows first. @throws InputError */
export async function writeDump(path: string, valueDim: number, dump: TileDump): Promise<void> {
  const { rows, columns } = dump;
  const shapes = { keys: [rows, columns], query: [columns], features: [valueDim, columns] };
  const { writeSafetensors } = await import("../../io/safetensors.js");
  await writeSafetensors(path, [
    ...(Object.keys(dumpTensors) as DumpTensor[]).map(tensor => {
      const { name, by } = dumpTensors[tensor];
      return { name, shape: shapes[by], values: dump[tensor] };
    }),
    { name: "exists", shape: shapes.keys, values: dump.exists },
  ]);
}

/** Writes the tensors of one tile of a cascade, by their names. */
export async function writeTensors(path: string, tensors: readonly DumpedTensor[]): Promise<void> {
  const { writeSafetensors } = await import("../../io/safetensors.js");
  await writeSafetensors(path, tensors);
}
