import { InputError, UsageError } from "../errors.js";
import { type Arithmetic, type ArithmeticName, float64, peArithmetic } from "./arithmetic.js";
import type { Cascade } from "./cascade.js";
import { functionsOf, type Index, type UnaryFunction } from "./einsum.js";
import { EinsumKernel } from "./kernel.js";
import { Presence } from "./presence.js";
import { indexedRank, type Shape, type SizeOf, solveShape } from "./shape.js";
import { constantOf, sizeValue, zeroSize } from "./size.js";

/** A tensor of any number of ranks, row-major; no ranks is one value. */
export interface DenseTensor {
  readonly shape: readonly number[];
  readonly data: ArrayLike<number>;
}

export interface EvaluateOptions {
  /** Sizes of ranks that the inputs do not fix, such as M0. */
  readonly shape?: Shape;
  /** float64 (the default) or the arithmetic of the PEs in a format, which first rounds the inputs to operands. */
  readonly format?: ArithmeticName;
  /** exp(x) is e^(scale * x), in PE arithmetic at no cost; 1 unless said. An exp(x, scale) of the text has its own. */
  readonly scale?: number;
  /** Coordinates of a rank that do not exist, as a mask has it: they are left out everywhere. */
  readonly present?: { readonly rank: string; readonly exists: (coordinate: number) => boolean };
}

export interface Evaluation {
  /** Every tensor that the cascade writes, an iterative one with all its coordinates. */
  readonly tensors: ReadonlyMap<string, DenseTensor>;
  /** Einsums in which 0 / 0 was taken as 0, as a reader of the results should know. */
  readonly emptyQuotients: readonly EmptyQuotient[];
}

export interface EmptyQuotient {
  readonly tensor: string;
  readonly points: number;
  /** The first of them, in words: "at i=0". */
  readonly first: string;
}

/** The most elements that the interpreter gives a tensor. */
export const largestTensor = 2 ** 28;

/**
 * Computes a cascade on dense tensors, one point after the other: sums and maxima run in ascending coordinates, the
 * last-named reduced rank fastest.
 * @throws InputError for tensors that are missing or whose shapes contradict the cascade; UsageError for a rank whose
 * size nothing says; NumericsError in PE arithmetic for a value out of range.
 */
export function evaluateCascade(
  cascade: Cascade,
  inputs: Readonly<Record<string, DenseTensor | number>>,
  options: EvaluateOptions = {},
): Evaluation {
  const { format = "float64", scale = 1 } = options;
  if (!Number.isFinite(scale))
    throw new UsageError({ where: "scale", got: String(scale), expected: "a finite number" });
  const arithmetic = format === "float64" ? float64 : peArithmetic(format);
  requireOperations(cascade, arithmetic);
  const given = new Map(cascade.inputs.map(name => [name, checkInput(cascade, name, inputs[name])]));
  const sizes = solveShape(cascade, sizesFromInputs(cascade, given, options.shape ?? {}));
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
  for (const { einsums, loop } of cascade.dependence.groups) {
    const turns = loop === null ? 1 : (sizeOf(loop) ?? 0);
    for (let turn = 0; turn < turns; turn += 1) {
      for (const i of einsums) {
        const kernel = kernels[i] as EinsumKernel;
        if (loop === null) kernel.run();
        else kernel.runTurn(loop, turn);
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

/**
 * How many elements a tensor of this shape has.
 * @throws InputError when they are more than the interpreter gives one.
 */
export function interpretableElements(tensor: string, shape: readonly number[]): number {
  const elements = shape.reduce((product, n) => product * n, 1);
  if (elements <= largestTensor) return elements;
  throw new InputError({
    where: `the tensor ${tensor}[${shape.join(",")}]`,
    got: `${elements} elements`,
    expected: "at most 2^28",
    mend: "interpret a smaller shape",
  });
}

/** The tensors of one run. */
class TensorStore {
  private readonly tensors = new Map<string, { readonly shape: readonly number[]; readonly data: Float64Array }>();

  private readonly inputs: ReadonlyMap<string, DenseTensor>;

  constructor(cascade: Cascade, inputs: ReadonlyMap<string, DenseTensor>, sizeOf: SizeOf, arithmetic: Arithmetic) {
    this.inputs = inputs;
    for (const tensor of cascade.tensors.values()) {
      const input = inputs.get(tensor.name);
      if (input !== undefined) {
        this.tensors.set(tensor.name, { shape: input.shape, data: Float64Array.from(input.data, arithmetic.input) });
        continue;
      }
      const shape = tensor.indices.map((index, position) => {
        const iterates = tensor.iterative?.position === position;
        const last = index.terms.reduce((sum, { variable, coefficient }) => {
          const size = requireSize(cascade, cascade.ranks.ofVariable(variable).name, sizeOf);
          return sum + (size - 1) * (sizeValue(coefficient, rank => requireSize(cascade, rank, sizeOf)) ?? 0);
        }, 0);
        return last + 1 + (iterates ? 1 : 0);
      });
      const elements = interpretableElements(tensor.name, shape);
      this.tensors.set(tensor.name, { shape, data: new Float64Array(elements) });
    }
  }

  tensor(name: string): { readonly shape: readonly number[]; readonly data: Float64Array } {
    const tensor = this.tensors.get(name);
    if (tensor === undefined) throw new Error(`no tensor ${name} in the store`);
    return tensor;
  }

  /** An input as it was given, before any rounding. */
  exact(name: string): ArrayLike<number> {
    return this.inputs.get(name)?.data ?? this.tensor(name).data;
  }
}

function requireSize(cascade: Cascade, rank: string, sizeOf: SizeOf): number {
  const size = sizeOf(rank);
  if (size !== undefined) return size;
  throw new UsageError({
    where: `the shape of ${cascade.name}`,
    got: `no size of the rank ${rank}`,
    expected: "a size for every rank that the inputs do not fix",
    mend: `give ${rank}=... in the shape`,
  });
}

function checkInput(cascade: Cascade, name: string, value: DenseTensor | number | undefined): DenseTensor {
  const ranks = cascade.tensors.get(name)?.indices.length ?? 0;
  if (value === undefined) {
    throw new InputError({
      where: `the inputs of ${cascade.name}`,
      got: `no tensor ${name}`,
      expected: `all of ${cascade.inputs.join(", ")}`,
    });
  }
  const tensor = typeof value === "number" ? { shape: [], data: [value] } : value;
  const elements = tensor.shape.reduce((product, n) => product * n, 1);
  if (tensor.shape.length !== ranks || tensor.data.length !== elements) {
    throw new InputError({
      where: `the input ${name} of ${cascade.name}`,
      got: `shape [${tensor.shape.join(",")}] with ${tensor.data.length} values`,
      expected: `${ranks} ranks and a value for each point`,
    });
  }
  return tensor;
}

/** Sizes of the ranks that index the inputs; a border, A[k+1], makes an input longer than its rank. */
function sizesFromInputs(
  cascade: Cascade,
  inputs: ReadonlyMap<string, DenseTensor>,
  given: Shape,
): Record<string, number> {
  const sizes = new Map(Object.entries(given).map(([name, size]) => [cascade.ranks.byName(name)?.name ?? name, size]));
  for (const [name, { shape }] of inputs) {
    const reads = cascade.einsums.flatMap(einsum => einsum.reads.filter(read => read.tensor === name));
    const tuples = [cascade.tensors.get(name)?.indices ?? [], ...reads.map(read => read.indices)];
    for (const [place, length] of shape.entries()) {
      const shift = (index: Index | undefined): number =>
        index === undefined || index.terms.length === 0 ? 0 : (constantOf(index.offset) ?? 0);
      const border = Math.max(0, ...tuples.map(indices => shift(indices[place])));
      for (const indices of tuples) {
        const index = indices[place];
        const rank = index === undefined ? undefined : indexedRank(cascade, { ...index, offset: zeroSize });
        if (rank === undefined) continue;
        const known = sizes.get(rank) ?? length - border;
        if (known !== length - border) {
          throw new InputError({
            where: `the input ${name} of ${cascade.name}`,
            got: `${length} coordinates along ${rank}`,
            expected: `${known + border}, as the shape or another input has it`,
          });
        }
        sizes.set(rank, known);
      }
    }
  }
  return Object.fromEntries(sizes);
}

/** The operations of the library's cascades that a PE has none for. */
function requireOperations(cascade: Cascade, arithmetic: Arithmetic): void {
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
    mend: "take float64",
  });
}
