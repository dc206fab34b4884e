import type { AttentionProblem, Operands } from "../attention/problem.js";
import { type InputName, tensorShapes } from "../attention/shape.js";
import { scaleBlock } from "../numerics/arithmetic.js";
import { isShared, sharedMemory } from "./shared-memory.js";

/** What operands stand for: values times their scales, in memory that threads share where the operands are. */
export function meantOperands(
  { arithmetic, shape }: Pick<AttentionProblem, "arithmetic" | "shape">,
  operands: Operands,
): Readonly<Record<InputName, Float32Array | Float64Array>> {
  const meant = (name: InputName): Float32Array | Float64Array => {
    const [values, scales] = [operands[name], operands.scales?.[name]];
    if (scales === undefined) return values;
    const [, , rows, columns] = tensorShapes(shape)[name];
    const width = scaleBlock(arithmetic.operands[name].scale);
    const place = placeOfScale(name, rows, columns, width);
    const product = zerosLike(values);
    for (let i = 0; i < values.length; i += 1) {
      const row = Math.floor(i / columns);
      product[i] = (values[i] as number) * (scales[place(Math.floor(row / rows), row % rows, i % columns)] as number);
    }
    return product;
  };
  return { q: meant("q"), k: meant("k"), v: meant("v") };
}

/** Where the scale of an element lies among those of `Operands`. */
function placeOfScale(name: InputName, rows: number, columns: number, width: number | null) {
  if (width === null) {
    return name === "v" ? (head: number) => head : (head: number, row: number) => head * rows + row;
  }
  if (name === "v") {
    const blocks = Math.ceil(rows / width);
    return (head: number, row: number, column: number) => (head * blocks + Math.floor(row / width)) * columns + column;
  }
  const blocks = Math.ceil(columns / width);
  return (head: number, row: number, column: number) => (head * rows + row) * blocks + Math.floor(column / width);
}

const zerosLike = ({ buffer, length }: Float32Array): Float64Array =>
  isShared(buffer) ? new Float64Array(sharedMemory(8 * length)) : new Float64Array(length);
