import { InputError, UsageError } from "../errors.js";
import { placeInTensor } from "../numerics/coordinates.js";
import { boundInWords } from "../numerics/limits.js";
import type { Arithmetic } from "./arithmetic.js";
import type { Cascade } from "./cascade.js";
import type { SizeOf } from "./shape.js";
import { sizeValue } from "./size.js";
import type { Tensor } from "./tensors.js";

/** A tensor of any number of ranks, row-major; no ranks is one value. */
export interface DenseTensor {
  readonly shape: readonly number[];
  readonly data: ArrayLike<number>;
}

/** One that a cascade wrote. */
export interface WrittenTensor extends DenseTensor {
  readonly data: Float64Array<ArrayBuffer>;
}

/** The most elements that the interpreter gives a tensor. */
export const largestTensor = 2 ** 28;

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
    fix: "interpret a smaller shape",
  });
}

/** The shape of a tensor that an Einsum writes, an iterative one with all its coordinates. */
export const writtenShape = (cascade: Cascade, tensor: Tensor, sizeOf: SizeOf): number[] =>
  tensor.indices.map((index, position) => {
    const iterates = tensor.iterative?.position === position;
    const last = index.terms.reduce((sum, { variable, coefficient }) => {
      const size = requireSize(cascade, cascade.ranks.ofVariable(variable).name, sizeOf);
      return sum + (size - 1) * (sizeValue(coefficient, rank => requireSize(cascade, rank, sizeOf)) ?? 0);
    }, 0);
    return last + 1 + (iterates ? 1 : 0);
  });

/** The tensors of one run. */
export class TensorStore {
  private readonly tensors = new Map<string, WrittenTensor>();

  /** The scales of inputs that have them, and of their copies, in the places of the values. */
  private readonly scaleArrays = new Map<string, Float64Array>();
  private readonly inputs: ReadonlyMap<string, DenseTensor>;

  constructor(cascade: Cascade, inputs: ReadonlyMap<string, DenseTensor>, sizeOf: SizeOf, arithmetic: Arithmetic) {
    this.inputs = inputs;
    for (const tensor of cascade.tensors.values()) {
      const input = inputs.get(tensor.name);
      if (input !== undefined) {
        const scaled = arithmetic.scaled?.encode(tensor.name, input) ?? null;
        const data = scaled?.values ?? roundInput(tensor.name, input, arithmetic);
        this.tensors.set(tensor.name, { shape: input.shape, data });
        if (scaled !== null) this.scaleArrays.set(tensor.name, scaled.scales);
        continue;
      }
      const shape = writtenShape(cascade, tensor, sizeOf);
      const elements = interpretableElements(tensor.name, shape);
      this.tensors.set(tensor.name, { shape, data: new Float64Array(elements) });
      if (arithmetic.scaled?.copiesScaled(tensor.name) === true) {
        this.scaleArrays.set(tensor.name, new Float64Array(elements));
      }
    }
  }

  tensor(name: string): WrittenTensor {
    const tensor = this.tensors.get(name);
    if (tensor === undefined) throw new Error(`no tensor ${name} in the store`);
    return tensor;
  }

  /** The scale of each element; undefined for a tensor without. */
  scales(name: string): Float64Array | undefined {
    return this.scaleArrays.get(name);
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
    fix: `give ${rank}=... in the shape`,
  });
}

/** An input as an arithmetic reads it. @throws InputError that names the value that it cannot take */
function roundInput(name: string, { shape, data }: DenseTensor, arithmetic: Arithmetic): Float64Array<ArrayBuffer> {
  const rounded = new Float64Array(data.length);
  for (let i = 0; i < data.length; i += 1) {
    const value = data[i] as number;
    const y = arithmetic.input(value, name);
    if (y === null) {
      throw new InputError({
        where: `${placeInTensor(name, shape, i)} in ${arithmetic.name} arithmetic`,
        got: String(value),
        expected: `a finite value of magnitude at most ${boundInWords(arithmetic.largestInput(name))}`,
        fix: "scale the input down or take float64",
      });
    }
    rounded[i] = y;
  }
  return rounded;
}
