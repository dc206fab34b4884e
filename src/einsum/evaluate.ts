import { howMany, InputError, UsageError } from "../errors.js";
import { type ArithmeticChoice, arithmeticOf } from "./arithmetic.js";
import type { Cascade } from "./cascade.js";
import { functionsOf, type UnaryFunction } from "./einsum.js";
import { sizesOfInputs } from "./input-shape.js";
import { EinsumKernel } from "./kernel.js";
import { pointsOf } from "./points.js";
import { Presence } from "./presence.js";
import { requireSizes, type Shape, type SizeOf, solveShape } from "./shape.js";
import { type DenseTensor, TensorStore, type WrittenTensor } from "./tensor-store.js";

export interface EvaluateOptions {
  /** Sizes of ranks that the inputs do not fix, such as M0. */
  readonly shape?: Shape;
  /** float64 (the default) or an arithmetic of the PEs, a format's or any, which first rounds the inputs to operands. */
  readonly format?: ArithmeticChoice;
  /** exp(x) is e^(scale * x), in PE arithmetic at no cost; 1 unless said. An exp(x, scale) of the text has its own. */
  readonly scale?: number;
  /** Told now and then how far the evaluation has come. */
  readonly onProgress?: (progress: EvaluationProgress) => void;
  /** Coordinates of a rank that do not exist, as a mask has it: they are left out everywhere. */
  readonly present?: { readonly rank: string; readonly exists: (coordinate: number) => boolean };
}

export interface EvaluationProgress {
  /** Points of all Einsums together. */
  readonly pointsDone: number;
  readonly points: number;
}

export interface EvaluatedCascade {
  /** Every tensor that the cascade writes, an iterative one with all its coordinates. */
  readonly tensors: ReadonlyMap<string, WrittenTensor>;
  /** Einsums in which 0 / 0 was taken as 0, as a reader of the results should know. */
  readonly emptyQuotients: readonly EmptyQuotient[];
}

export interface EmptyQuotient {
  readonly tensor: string;
  readonly points: number;
  /** The first of them, in words: "at i=0". */
  readonly first: string;
}

/**
 * Computes a cascade on dense tensors, one point after the other: sums and maxima run in ascending coordinates, the
 * last-named reduced rank fastest.
 * @throws InputError for tensors that are missing or whose shapes contradict the cascade; UsageError for a rank whose
 * size nothing says; NumericsError in PE arithmetic for a value out of range.
 * @example
 * ```ts
 * import { evaluateCascade, parseCascade } from "fusemax";
 *
 * const a = { shape: [3], data: new Float64Array([1, 2, 3]) };
 * const { tensors } = evaluateCascade(parseCascade("Y = A[m] * A[m]"), { A: a });
 * console.log(tensors.get("Y")?.data[0]); // 14
 * ```
 */
export function evaluateCascade(
  cascade: Cascade,
  inputs: Readonly<Record<string, DenseTensor | number>>,
  options: EvaluateOptions = {},
): EvaluatedCascade {
  const { format = "float64", scale = 1 } = options;
  if (!Number.isFinite(scale))
    throw new UsageError({ where: "scale", got: String(scale), expected: "a finite number" });
  const arithmetic = arithmeticOf(format, cascade);
  requireOperations(cascade, format);
  if (arithmetic.scaled !== null && options.present !== undefined) {
    throw new UsageError({
      where: `arithmetic ${arithmetic.name}`,
      got: `coordinates of ${options.present.rank} that do not exist`,
      expected: "all of them, where inputs have scales",
      fix: "engines compute masked attention with scales",
    });
  }
  const given = new Map(cascade.inputs.map(name => [name, checkInput(cascade, name, inputs[name])]));
  const shapes = shapesOf(given);
  const sizes = solveShape(cascade, sizesOfInputs(cascade, shapes, options.shape ?? {}), shapes);
  requireSizes(cascade, sizes);
  const sizeOf: SizeOf = rank => sizes.get(cascade.ranks.byName(rank)?.name ?? rank);
  const store = new TensorStore(cascade, given, sizeOf, arithmetic);
  const emptyQuotients: EmptyQuotient[] = [];
  const rank = options.present === undefined ? undefined : cascade.ranks.byName(options.present.rank);
  const present =
    options.present === undefined || rank === undefined
      ? null
      : new Presence(cascade, rank, options.present.exists, sizeOf);
  const kernels = cascade.einsums.map(
    einsum => new EinsumKernel(cascade, einsum, store, sizeOf, arithmetic, scale, present),
  );
  const progress = new PointCounter(pointsOf(cascade, sizes), options.onProgress);
  for (const { einsums, loop } of cascade.dependence.groups) {
    const turns = loop === null ? 1 : (sizeOf(loop) ?? 0);
    for (let turn = 0; turn < turns; turn += 1) {
      for (const i of einsums) {
        const kernel = kernels[i] as EinsumKernel;
        if (loop === null) kernel.run(progress);
        else kernel.runTurn(loop, turn, progress);
      }
    }
    for (const i of einsums) {
      const kernel = kernels[i] as EinsumKernel;
      if (kernel.emptyQuotients > 0) {
        emptyQuotients.push({ tensor: kernel.einsum.tensor, points: kernel.emptyQuotients, first: kernel.firstEmpty });
      }
    }
  }
  const written = new Set(cascade.einsums.map(einsum => einsum.tensor));
  return { tensors: new Map([...written].map(name => [name, store.tensor(name)])), emptyQuotients };
}

/** Counts points as they are computed, and tells of them now and then. */
class PointCounter {
  private done = 0;
  private told = 0;

  constructor(
    private readonly points: number,
    private readonly onProgress: EvaluateOptions["onProgress"],
  ) {}

  add(points: number): void {
    this.done += points;
    if (this.done - this.told < pointsBetweenWords) return;
    this.told = this.done;
    this.onProgress?.({ pointsDone: this.done, points: this.points });
  }
}

/** Some hundredths of a second. */
const pointsBetweenWords = 2 ** 20;

function checkInput(cascade: Cascade, name: string, value: DenseTensor | number | undefined): DenseTensor {
  if (value === undefined) {
    throw new InputError({
      where: `the inputs of ${cascade.name}`,
      got: `no tensor ${name}`,
      expected: `all of ${cascade.inputs.join(", ")}`,
    });
  }
  const tensor = typeof value === "number" ? { shape: [], data: [value] } : value;
  const elements = tensor.shape.reduce((product, n) => product * n, 1);
  if (tensor.data.length !== elements) {
    throw new InputError({
      where: `the input ${name} of ${cascade.name}`,
      got: `shape [${tensor.shape.join(",")}] with ${howMany(tensor.data.length, "value")}`,
      expected: "a value for each point",
    });
  }
  return tensor;
}

const shapesOf = (tensors: ReadonlyMap<string, DenseTensor>): ReadonlyMap<string, readonly number[]> =>
  new Map([...tensors].map(([name, { shape }]) => [name, shape]));

/** @throws UsageError that names every function which the arithmetic does not have, and where it is */
export function requireOperations(cascade: Cascade, choice: ArithmeticChoice): void {
  const arithmetic = arithmeticOf(choice, cascade);
  const missing = new Map<UnaryFunction, string>();
  for (const { tensor, right } of cascade.einsums) {
    for (const fn of functionsOf(right))
      if (arithmetic.unary[fn] === undefined) missing.set(fn, missing.get(fn) ?? tensor);
  }
  if (missing.size === 0) return;
  throw new UsageError({
    where: `${cascade.name} in ${arithmetic.name} arithmetic`,
    got: [...missing].map(([fn, tensor]) => `${fn} in ${tensor}`).join(", "),
    expected: `functions that the PEs have: ${Object.keys(arithmetic.unary).join(", ")}`,
    fix: "take float64",
  });
}
