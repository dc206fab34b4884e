import { createHash } from "node:crypto";
import { axisOrder, type NamedAxes, reorderAxes } from "../../einsum/axes.js";
import type { Cascade } from "../../einsum/cascade.js";
import type { EvaluatedCascade } from "../../einsum/evaluate.js";
import { formatIndex } from "../../einsum/format-einsum.js";
import { howMany, NumericsError, UsageError } from "../../errors.js";
import { placeInTensor } from "../../numerics/coordinates.js";
import { sha256OfValues } from "../../numerics/sha256.js";
import { type ReportedTensor, statisticsOf } from "../../report/evaluation.js";

/** A tensor as it is reported and written: float64 values, or fp32 ones, which hold PE arithmetic's exactly. */
export interface Output {
  readonly name: string;
  readonly axes: readonly string[];
  readonly shape: readonly number[];
  readonly values: Float32Array | Float64Array;
}

/**
 * The tensors that were asked for, their axes in the order that was asked for.
 * @throws NumericsError where a value is no number: the first tensor of the text that has one is named
 */
export function outputsOf(
  cascade: Cascade,
  evaluation: EvaluatedCascade,
  writes: readonly NamedAxes[],
  inFloat64: boolean,
): readonly Output[] {
  for (const [name, { shape, data }] of evaluation.tensors) {
    const at = data.findIndex(Number.isNaN);
    if (at < 0) continue;
    throw new NumericsError({
      where: placeInTensor(name, shape, at),
      got: "NaN",
      expected: "a number",
      fix: "look for infinities and negative logarithms or roots among what it is made of (--write)",
    });
  }
  return writes.map(write => {
    const tensor = evaluation.tensors.get(write.name);
    if (tensor === undefined) throw new Error(`no tensor ${write.name}`);
    const order = orderOf(cascade, write);
    const values = inFloat64 ? tensor.data : Float32Array.from(tensor.data);
    const indices = cascade.tensors.get(write.name)?.indices ?? [];
    return {
      name: write.name,
      axes: order.map(axis => axisName(cascade, write.name, indices[axis])),
      shape: order.map(axis => tensor.shape[axis] as number),
      values: reorderAxes(values, tensor.shape, order),
    };
  });
}

/** For each axis that is written, which axis of the text's order it is. @throws UsageError for axes that it does not have */
export function orderOf(cascade: Cascade, write: NamedAxes): readonly number[] {
  const places = axisOrder(cascade, write, "--write");
  return places.map((_, axis) => places.indexOf(axis));
}

/** The rank variable of an axis; of an iterative rank without its step. */
function axisName(cascade: Cascade, tensor: string, index: Parameters<typeof formatIndex>[0] | undefined): string {
  if (index === undefined) return "";
  const iterates = cascade.tensors.get(tensor)?.iterative;
  const own = iterates !== null && index.terms.some(({ variable }) => variable === iterates?.variable);
  return formatIndex(own ? { ...index, offset: [] } : index);
}

export function reported({ axes, shape, values }: Output): ReportedTensor {
  const hash = createHash("sha256");
  const sha256 = sha256OfValues(values, {
    update: bytes => void hash.update(bytes),
    hex: () => hash.digest("hex"),
  });
  return { axes, shape, type: values instanceof Float64Array ? "F64" : "F32", ...statisticsOf(values), sha256 };
}

/** The endings of files that outputs are written to. */
export const outputEndings = [".npz", ".safetensors", ".npy"] as const;

/** @throws UsageError for several tensors in a .npy file */
export function requireOneTensor(path: string | undefined, writes: readonly NamedAxes[]): void {
  if (path === undefined || !/\.npy$/i.test(path) || writes.length === 1) return;
  throw new UsageError({
    where: "--output",
    got: `${howMany(writes.length, "tensor")} for ${path}`,
    expected: "one tensor in a .npy file",
    fix: `choose one with --write, such as --write ${writes[0]?.name ?? "NAME"}, or write a .npz or .safetensors file`,
  });
}

/** Writes the outputs, whole or not at all. @throws InputError when the path can't be written */
export async function writeOutputs(path: string, outputs: readonly Output[], about: Readonly<Record<string, string>>) {
  if (/\.npz$/i.test(path)) return (await import("../../io/npz.js")).writeNpz(path, outputs);
  if (/\.safetensors$/i.test(path))
    return (await import("../../io/safetensors.js")).writeSafetensors(path, outputs, about);
  const [only] = outputs;
  if (only !== undefined) await (await import("../../io/npy.js")).writeNpy(path, only.shape, only.values);
}
