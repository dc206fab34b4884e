import { piecesInLayout } from "../../attention/layout.js";
import { type TensorShape, tensorShapes, valuesOf } from "../../attention/shape.js";
import type { DumpedTensor } from "../../emulator/javascript/dump.js";
import { type DumpTensor, dumpTensors, type TileDump } from "../../emulator/tile-dump.js";
import { type FloatPieces, type FloatValues, floatTypeOf, piecesOf } from "../../io/float-pieces.js";
import { type Metadata, type TensorFileKind, tensorFile } from "../../io/tensor-file.js";
import { gathered } from "../../io/tensor-views.js";
import { type FileLayout, outputSizes } from "./input-layout.js";
import type { RunOptions } from "./options.js";
import { outputFile } from "./output-file.js";
import type { RunPlan } from "./plan.js";

/**
 * Writes AV [B,H,P,F] as fp32 to a .npy or .safetensors file in a layout, whole or not at all.
 * @param format the name of its arithmetic
 * @throws InputError
 */
export function writeOutput(
  path: string,
  sizes: TensorShape,
  format: string,
  rows: (from: number, to: number) => Float32Array,
  file: FileLayout,
): Promise<void> {
  return writeParts(path, outputFile(kindOf(path), sizes, format, rows, file));
}

/** Writes the output and the cache that the options ask for. @throws InputError */
export async function writeOutputs(
  plan: Pick<RunPlan, "problem" | "given" | "givenShape" | "output">,
  { output, presentK, presentV }: Pick<RunOptions, "output" | "presentK" | "presentV">,
  av: Float32Array,
): Promise<void> {
  if (output !== undefined) {
    const { shape, arithmetic } = plan.problem;
    await writeOutput(output, tensorShapes(shape).av, arithmetic.name, rowsOf(av, shape.valueDim), plan.output);
  }
  if (presentK !== undefined) await writePresent(presentK, "k", plan);
  if (presentV !== undefined) await writePresent(presentV, "v", plan);
}

/** Writes K or V whole, with what a cache had before, as given. @throws InputError */
async function writePresent(
  path: string,
  name: "k" | "v",
  { given, givenShape, output }: Pick<RunPlan, "given" | "givenShape" | "output">,
): Promise<void> {
  const sizes = tensorShapes(givenShape)[name];
  const values = await gathered(given(name), valuesOf(sizes));
  const pieces = piecesInLayout(output.layout, sizes, rowsOf(values, sizes[3]));
  await writeRanks(path, `present_${name}`, outputSizes(output, sizes), { type: floatTypeOf(values), pieces });
}

const rowsOf =
  <Values extends FloatValues>(values: Values, width: number) =>
  (from: number, to: number): Values =>
    values.subarray(from * width, to * width) as Values;

/** Writes one tensor to a .npy or .safetensors file, whole or not at all. @throws InputError */
export async function writeRanks(
  path: string,
  name: string,
  shape: readonly number[],
  values: FloatValues | FloatPieces,
  metadata: Metadata = {},
): Promise<void> {
  await writeParts(path, tensorFile(kindOf(path), { name, shape }, piecesOf(values), metadata));
}

const kindOf = (path: string): TensorFileKind => (path.toLowerCase().endsWith(".npy") ? "npy" : "safetensors");

async function writeParts(path: string, parts: Iterable<ArrayBufferView>): Promise<void> {
  const { writeAtomically } = await import("../../io/atomic-write.js");
  await writeAtomically(path, parts);
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
