import { groupOf } from "../attention/heads.js";
import type { AttentionProblem } from "../attention/problem.js";
import { type AttentionShape, type InputName, tensorShapes, valuesOf } from "../attention/shape.js";
import { howMany, InputError } from "../errors.js";
import { type ArithmeticSpec, type OperandSpec, type Scale, scaleBlock } from "../numerics/arithmetic.js";
import { coordinatesOf } from "../numerics/coordinates.js";
import { largestInput } from "../numerics/limits.js";
import { exponentOf, scaleExponents } from "../numerics/number-type.js";
import { roundToOperand } from "../numerics/rounding.js";
import { sharedMemory } from "./shared-memory.js";

type Values = Float32Array | Float64Array;

/** Scales that were chosen elsewhere, of inputs that are operands already; as `scaleSizes` says, row-major. */
export type GivenScales = Readonly<Partial<Record<InputName, Values>>>;

/**
 * The sizes of a tensor's scales: none for `tensor`, [B,Hkv] for `head`, [B,heads,ceil(tokens/n)] for `rows`; of blocks
 * of w [B,heads,tokens,ceil(E/w)] for q and k, and [B,Hkv,ceil(M/w),F] for v. Null where there are no scales.
 */
export function scaleSizes(scale: Scale, name: InputName, shape: AttentionShape): readonly number[] | null {
  const [batch, heads, rows, columns] = tensorShapes(shape)[name];
  if (scale === "none") return null;
  if (scale === "tensor") return [];
  if (scale === "head") return [batch, shape.kvHeads];
  if (typeof scale === "object") return [batch, heads, Math.ceil(rows / scale.rows)];
  const width = scaleBlock(scale) ?? 1;
  return name === "v"
    ? [batch, heads, Math.ceil(rows / width), columns]
    : [batch, heads, rows, Math.ceil(columns / width)];
}

/** The scale of the element at a row and column of one head, heads numbered through the batches. */
export type ScaleAt = (head: number, row: number, column: number) => number;

/** Reads scales that are given for a tensor. */
export function scaleReader(scale: Scale, name: InputName, shape: AttentionShape, values: Values): ScaleAt {
  const [, , rows, columns] = tensorShapes(shape)[name];
  const at = (index: number): number => values[index] as number;
  if (typeof scale === "object") {
    const sets = Math.ceil(rows / scale.rows);
    return (head, row) => at(head * sets + Math.floor(row / scale.rows));
  }
  const width = scaleBlock(scale);
  if (width === null) {
    const group = name === "q" ? groupOf(shape) : 1;
    return scale === "head" ? head => at(Math.floor(head / group)) : () => at(0);
  }
  if (name === "v") {
    const blocks = Math.ceil(rows / width);
    return (head, row, column) => at((head * blocks + Math.floor(row / width)) * columns + column);
  }
  const blocks = Math.ceil(columns / width);
  return (head, row, column) => at((head * rows + row) * blocks + Math.floor(column / width));
}

/** The largest scale, and the least of those that are not 0: products of two stay normal fp32 values. */
const limits = { largest: largestInput, least: 2 ** -60 } as const;

/**
 * The scales as fp32 values. @throws InputError where an arithmetic has none or they are no scales: a power of two for
 * `mx`, and else a number from 2^-60 to 2^50, or 0 for blocks of `nvfp4`
 */
export function checkGivenScales(
  arithmetic: ArithmeticSpec,
  name: InputName,
  shape: AttentionShape,
  values: Values,
): Float32Array {
  requireScaled(arithmetic, name, `${name}_scale`);
  const { scale } = arithmetic.operands[name];
  const sizes = scaleSizes(scale, name, shape) ?? [];
  if (values.length !== valuesOf(sizes)) {
    throw new InputError({
      where: `${name}_scale`,
      got: howMany(values.length, "value"),
      expected: `${valuesOf(sizes)} for the shape [${sizes.join(", ")}]`,
    });
  }
  const rounded = Float32Array.from(values);
  const wrong = rounded.findIndex(x => !isScale(scale, x));
  if (wrong < 0) return rounded;
  throw new InputError({
    where: `${name}_scale[${coordinatesOf(sizes, wrong).join(", ")}]`,
    got: String(values[wrong]),
    expected: scale === "mx" ? "a power of two from 2^-127 to 2^127" : "a number from 2^-60 to 2^50",
  });
}

/** @throws InputError at `where`, scales of a tensor, where an arithmetic has none for it or changes it before. */
export function requireScaled({ name: arithmetic, operands, smooth }: ArithmeticSpec, name: InputName, where: string) {
  if (operands[name].scale === "none") {
    throw new InputError({
      where,
      got: `scales of ${name}`,
      expected: `none, as arithmetic ${arithmetic} has none for ${name}`,
      fix: "take an arithmetic that has",
    });
  }
  if (name === "k" && smooth === "keys") {
    throw new InputError({
      where,
      got: "scales of k",
      expected: `keys without: arithmetic ${arithmetic} takes their mean off before it scales them`,
    });
  }
}

function isScale(scale: Scale, x: number): boolean {
  if (scale === "nvfp4" && x === 0) return true;
  if (!(x > 0 && x < Number.POSITIVE_INFINITY)) return false;
  if (scale !== "mx") return x >= limits.least && x <= limits.largest;
  const exponent = exponentOf(x);
  return x === 2 ** exponent && exponent >= scaleExponents.least && exponent <= scaleExponents.greatest;
}

/** The operands that values are, where scales are given beside them. @throws InputError at `where` for one that is none */
export function givenOperand(x: number, { type }: OperandSpec, where: () => string): number {
  const operand = roundToOperand(x, type);
  if (operand === x) return operand;
  throw new InputError({
    where: where(),
    got: String(x),
    expected: `a value of ${type.name}, since its scale is given`,
    fix: "leave the scales out to have them chosen",
  });
}

/** What inputs stand for: values whose scales are given are times them, in memory that threads share. */
export function meantInputs(
  inputs: Readonly<Record<InputName, Values>> & { readonly scales: GivenScales },
  { arithmetic, shape }: Pick<AttentionProblem, "arithmetic" | "shape">,
): Readonly<Record<InputName, Values>> {
  const { scales } = inputs;
  const meant = (name: InputName): Values => {
    const [tensor, values] = [inputs[name], scales[name]];
    if (values === undefined) return tensor;
    const [, , rows, columns] = tensorShapes(shape)[name];
    const at = scaleReader(arithmetic.operands[name].scale, name, shape, values);
    const product = new Float64Array(sharedMemory(8 * tensor.length));
    for (let i = 0; i < tensor.length; i += 1) {
      const row = Math.floor(i / columns);
      product[i] = (tensor[i] as number) * at(Math.floor(row / rows), row % rows, i % columns);
    }
    return product;
  };
  return { q: meant("q"), k: meant("k"), v: meant("v") };
}
