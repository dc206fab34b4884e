import { breather } from "../../emulator/breathe.js";
import type { Engine } from "../../emulator/engine.js";
import { generateNormal, type InputName } from "../../emulator/generate.js";
import { type InputTensor, inputShape, roundPart } from "../../emulator/operands.js";
import type { AttentionProblem, AttentionShape, Operands } from "../../emulator/problem.js";
import type { StoredInputs } from "./input-files.js";

/** A tensor as given; read or generated again each time, so that large ones need not stay beside the operands. */
export type LoadInput = (name: InputName) => Promise<InputTensor>;

/** Values worked on at a time, so that Ctrl-C is heard. */
const valuesAtOnce = 2 ** 19;

export const fromFiles =
  (files: StoredInputs): LoadInput =>
  name =>
    files[name].load();

/** Normal values of a seed; the scores' spread is set by Q. */
export const fromSeed =
  (shape: AttentionShape, seed: number, spread: number): LoadInput =>
  async name => {
    const values = new Float32Array(countOf(inputShape(shape, name)));
    const breathe = breather();
    for (let at = 0; at < values.length; at += valuesAtOnce) {
      const length = Math.min(valuesAtOnce, values.length - at);
      values.set(generateNormal(seed, name, length, name === "q" ? spread : 1, at), at);
      await breathe();
    }
    return values;
  };

/** Tensors up to this size together are kept from the first use to the next. */
const mostBytesKept = 128 * 2 ** 20;

/** The same inputs, but small ones are loaded once. */
export function remembering(load: LoadInput): LoadInput {
  const kept = new Map<InputName, InputTensor>();
  let bytes = 0;
  return async name => {
    const tensor = kept.get(name) ?? (await load(name));
    if (!kept.has(name) && bytes + tensor.byteLength <= mostBytesKept) {
      kept.set(name, tensor);
      bytes += tensor.byteLength;
    }
    return tensor;
  };
}

/**
 * Rounds one tensor after the other to operands, into arrays of the engine's making.
 * @throws InputError that names tensor, index and value.
 */
export async function loadOperands(
  load: LoadInput,
  { shape, format }: AttentionProblem,
  { allocate = length => new Float32Array(length) }: Pick<Engine, "allocate">,
): Promise<Operands> {
  const breathe = breather();
  const round = async (name: InputName): Promise<Float32Array> => {
    const values = await load(name);
    const sizes = inputShape(shape, name);
    const operands = allocate(values.length);
    for (let at = 0; at < values.length; at += valuesAtOnce) {
      roundPart(values.subarray(at, at + valuesAtOnce), operands, at, name, sizes, format.operand);
      await breathe();
    }
    return operands;
  };
  return { q: await round("q"), k: await round("k"), v: await round("v") };
}

const countOf = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);
