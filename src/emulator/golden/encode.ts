import type { OperandSpec } from "../../numerics/arithmetic.js";
import { scaleBlock } from "../../numerics/arithmetic.js";
import { isSaturated, roundToOperand } from "../../numerics/rounding.js";
import {
  amaxOf,
  mxScale,
  nvfp4HeadFactor,
  nvfp4Scale,
  type SetScale,
  sharedScale,
  unscaled,
} from "../../numerics/scales.js";
import { givenOperand } from "../given-scales.js";

/** A matrix of one head; the rank that is summed over lies in the columns. */
export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  /** Row-major. */
  readonly values: Float64Array;
}

/** What scales rest on, where it is not the matrix alone. */
export interface ScaleFacts {
  /** nvfp4's G. */
  readonly headFactor?: number;
  /** The largest magnitude for `tensor` and `head`. */
  readonly amax?: number;
  /** The scale at a row and column, where values are operands already; `where` names an element that is none. */
  readonly chosen?: {
    scale(row: number, column: number): number;
    where(row: number, column: number): string;
  };
}

/** A matrix as operands with their scales. */
export interface Encoded extends Matrix {
  /** The scale of the block of columns that begins at `block * scaleBlock`; without blocks that of the row. */
  scale(row: number, block: number): number;
  /** Operands that were past the largest value of their type. */
  readonly saturated: number;
}

/**
 * The operands and scales of a head's matrix (docs/arithmetic.md, "Scales"). Elements that belong to no set are 0: they
 * change no largest magnitude.
 */
export function encode(matrix: Matrix, spec: OperandSpec, given: ScaleFacts = {}): Encoded {
  const { rows, columns, values } = matrix;
  const width = scaleBlock(spec.scale) ?? Math.max(1, columns);
  const { chosen } = given;
  if (chosen !== undefined) {
    return {
      rows,
      columns,
      values: values.map((x, i) => {
        const [row, column] = [Math.floor(i / columns), i % columns];
        return givenOperand(x, spec, () => chosen.where(row, column));
      }),
      scale: (row, block) => chosen.scale(row, block * width),
      saturated: 0,
    };
  }
  const blocks = Math.max(1, Math.ceil(columns / width));
  const scaleOf = scalesOf(matrix, spec, given);
  const operands = new Float64Array(values.length);
  const scales = new Float64Array(rows * blocks);
  let saturated = 0;
  for (let row = 0; row < rows; row += 1) {
    for (let block = 0; block < blocks; block += 1) {
      const first = row * columns + block * width;
      const set = values.subarray(first, Math.min(first + width, (row + 1) * columns));
      const { scale, ratio } = scaleOf(set, row);
      scales[row * blocks + block] = scale;
      for (const [i, x] of set.entries()) {
        operands[first + i] = roundToOperand(ratio(x), spec.type);
        if (isSaturated(ratio(x), spec.type)) saturated += 1;
      }
    }
  }
  return { rows, columns, values: operands, scale: (row, block) => scales[row * blocks + block] ?? 1, saturated };
}

/** The scale of one row's block. */
function scalesOf({ rows, columns, values }: Matrix, { type, scale }: OperandSpec, given: ScaleFacts) {
  if (scale === "none") return (): SetScale => unscaled;
  if (scale === "mx") return (set: Float64Array): SetScale => mxScale(type, amaxOf(set));
  if (scale === "nvfp4") {
    const factor = given.headFactor ?? nvfp4HeadFactor(amaxOf(values));
    return (set: Float64Array): SetScale => nvfp4Scale(type, amaxOf(set), factor);
  }
  if (typeof scale === "string" && given.amax !== undefined) {
    const shared = sharedScale(type, given.amax);
    return (): SetScale => shared;
  }
  const perSet = typeof scale === "string" ? Math.max(1, rows) : scale.rows;
  const sets = Array.from({ length: Math.ceil(rows / perSet) }, (_, i) =>
    sharedScale(type, amaxOf(values.subarray(i * perSet * columns, (i + 1) * perSet * columns))),
  );
  return (_: Float64Array, row: number): SetScale => sets[Math.floor(row / perSet)] ?? unscaled;
}

/** Operands times their scales: what they stand for. */
export function decoded(encoded: Encoded, spec: OperandSpec): Matrix {
  const { rows, columns, values } = encoded;
  const width = scaleBlock(spec.scale) ?? Math.max(1, columns);
  const meant = values.map((x, i) => x * encoded.scale(Math.floor(i / columns), Math.floor((i % columns) / width)));
  return { rows, columns, values: meant };
}

export function transposed({ rows, columns, values }: Matrix): Matrix {
  const transposed = new Float64Array(values.length);
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 1) {
      transposed[column * rows + row] = values[row * columns + column] as number;
    }
  }
  return { rows: columns, columns: rows, values: transposed };
}
