import { existingRows } from "../../attention/existing-rows.js";
import type { AttentionProblem, Operands } from "../../attention/problem.js";
import { type AttentionShape, type InputName, inputNames, tensorShapes, valuesOf } from "../../attention/shape.js";
import type { Alibi } from "../../emulator/alibi.js";
import { breather } from "../../emulator/breathe.js";
import { encodeOperands } from "../../emulator/encode.js";
import type { Engine } from "../../emulator/engine.js";
import { type GenerateStretches, generateHere, type NormalStretch } from "../../emulator/generate.js";
import { type AttentionInputs, type InputTensor, roundPart } from "../../emulator/operands.js";
import { sharedMemory } from "../../emulator/shared-memory.js";
import { sharedFloats } from "../../emulator/wasm/shared-floats.js";
import type { Format } from "../../numerics/format.js";
import { formatOf } from "../../numerics/format-of.js";
import type { StoredInputs } from "./input-shape.js";
import { loadScales, type StoredScales } from "./scale-files.js";

/**
 * A tensor as given, in pieces and row-major order. It is read or generated again each time, so that a large one never
 * lies in memory beside its operands.
 */
export type InputPieces = (name: InputName) => AsyncIterable<InputTensor>;

/** Values in a piece, so that Ctrl-C is heard between two. */
const valuesAtOnce = 2 ** 18;

export const fromFiles =
  (files: StoredInputs): InputPieces =>
  name =>
    files[name].pieces();

/** Normal values of a seed; the scores' spread is set by Q. */
export const fromSeed =
  (shape: AttentionShape, seed: number, spreadOfQ: number, generate: GenerateStretches = generateHere): InputPieces =>
  name => {
    const count = countOf(shape, name);
    const spread = name === "q" ? spreadOfQ : 1;
    const stretches = Array.from({ length: Math.ceil(count / valuesAtOnce) }, (_, i): NormalStretch => {
      const start = i * valuesAtOnce;
      return { seed, name, length: Math.min(valuesAtOnce, count - start), spread, start };
    });
    return generate(stretches);
  };

/** The inputs of a model whose values are the first part of its keys. */
export const withValuesInKeys = (pieces: InputPieces, { headDim, valueDim }: AttentionShape): InputPieces =>
  async function* (name) {
    if (name !== "v") {
      yield* pieces(name);
      return;
    }
    let at = 0;
    for await (const piece of pieces("k")) {
      const begin = at;
      yield piece.filter((_, i) => (begin + i) % headDim < valueDim);
      at += piece.length;
    }
  };

/** The inputs with the elements that make ALiBi of a dot product. */
export const withBiases = (pieces: InputPieces, alibi: Alibi): InputPieces =>
  async function* (name) {
    const widen = name === "v" ? (piece: InputTensor) => piece : alibi.widener(name);
    for await (const piece of pieces(name)) yield widen(piece);
  };

/** Tensors of up to this size together are kept from the first use to the next. */
const mostBytesKept = 64 * 2 ** 20;

/** The same inputs, but small ones are loaded once. */
export function remembering(pieces: InputPieces): InputPieces {
  const kept = new Map<InputName, readonly InputTensor[]>();
  let room = mostBytesKept;
  return async function* (name) {
    const known = kept.get(name);
    if (known !== undefined) {
      yield* known;
      return;
    }
    const seen: InputTensor[] = [];
    let bytes = 0;
    for await (const piece of pieces(name)) {
      bytes += piece.byteLength;
      if (bytes <= room) seen.push(piece);
      else seen.length = 0;
      yield piece;
    }
    if (bytes > room) return;
    room -= bytes;
    kept.set(name, seen);
  };
}

/** Told of values that have arrived, of any tensor. */
export type OnValues = (count: number) => void;

/** Values in Q, K and V together. */
export const inputValues = (shape: AttentionShape): number =>
  inputNames.reduce((sum, name) => sum + countOf(shape, name), 0);

export interface LoadedOperands {
  readonly operands: Operands;
  /** Whether every input was an operand already: the rounding changed nothing. */
  readonly exact: boolean;
}

/**
 * Makes operands of the inputs, in arrays of the engine's making: piece by piece in a number format, of whole tensors
 * where their scales rest on all values, or are given beside them.
 * @throws InputError that names tensor, index and value.
 */
export async function loadOperands(
  pieces: InputPieces,
  problem: AttentionProblem,
  engine: Pick<Engine, "allocate">,
  onValues: OnValues = () => undefined,
  scales: StoredScales = {},
): Promise<LoadedOperands> {
  const format = formatOf(problem.arithmetic);
  if (format !== null) return roundPieces(pieces, problem, format, engine, onValues);
  const inputs = { ...(await loadInputs(pieces, problem.shape, onValues)), scales: await loadScales(scales) };
  const exact = inputNames.every(name => inputs.scales[name] !== undefined);
  return { operands: encodeOperands(inputs, problem, engine.allocate), exact };
}

async function roundPieces(
  pieces: InputPieces,
  { shape, mask }: AttentionProblem,
  { operand }: Format,
  { allocate = length => new Float32Array(length) }: Pick<Engine, "allocate">,
  onValues: OnValues,
): Promise<LoadedOperands> {
  const breathe = breather();
  let exact = true;
  const round = async (name: InputName): Promise<Float32Array> => {
    const sizes = tensorShapes(shape)[name];
    const rows = existingRows({ shape, mask }, name);
    const operands = allocate(valuesOf(sizes));
    let at = 0;
    for await (const piece of pieces(name)) {
      for (let from = 0; from < piece.length; from += valuesAtOnce) {
        const part = piece.subarray(from, from + valuesAtOnce);
        exact = roundPart(part, operands, at + from, name, sizes, operand, rows) && exact;
        await breathe();
      }
      at += piece.length;
      onValues(piece.length);
    }
    return operands;
  };
  return { operands: { q: await round("q"), k: await round("k"), v: await round("v") }, exact };
}

/** The inputs as given, whole, in memory that threads share. */
export async function loadInputs(
  pieces: InputPieces,
  shape: AttentionShape,
  onValues: OnValues = () => undefined,
): Promise<AttentionInputs> {
  const breathe = breather();
  const load = async (name: InputName): Promise<InputTensor> => {
    let values: InputTensor | null = null;
    let at = 0;
    for await (const piece of pieces(name)) {
      const count = countOf(shape, name);
      values ??= sharedLike(piece, count);
      values.set(piece, at);
      at += piece.length;
      onValues(piece.length);
      await breathe();
    }
    return values ?? new Float32Array(0);
  };
  return { q: await load("q"), k: await load("k"), v: await load("v") };
}

/** Values of a piece's type in memory that threads share. */
function sharedLike(piece: InputTensor, count: number): InputTensor {
  return piece instanceof Float64Array ? new Float64Array(sharedMemory(8 * count)) : sharedFloats(count);
}

const countOf = (shape: AttentionShape, name: InputName): number => valuesOf(tensorShapes(shape)[name]);
