import { multiplyPanels } from "./kernel.js";

/** Dense linear algebra in float64, as much as an encoder needs: row-major, the sums always in ascending order. */

export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  /** [rows, columns] row-major. */
  readonly data: Float64Array;
}

export function matrix(rows: number, columns: number, data: Float64Array = new Float64Array(rows * columns)): Matrix {
  return { rows, columns, data };
}

/** Right-hand sides are packed in panels of so many columns, as the kernel wants them. */
const panel = 4;

/** A right-hand side [k, n], ready for `multiply`; columns up to the next whole panel are zero. */
export interface Packed {
  readonly k: number;
  readonly n: number;
  readonly panels: Float64Array;
}

/** Packs B [k, n], or the transpose of B [n, k] when `transposed`. */
export function pack(b: { readonly [i: number]: number }, k: number, n: number, transposed = false): Packed {
  const panels = new Float64Array(Math.ceil(n / panel) * panel * k);
  for (let j = 0; j < n; j++) {
    const start = Math.floor(j / panel) * panel * k + (j % panel);
    for (let l = 0; l < k; l++) panels[start + l * panel] = b[transposed ? j * k + l : l * n + j] as number;
  }
  return { k, n, panels };
}

/** A · B + bias: [m, k] · [k, n] + [n]. */
export function multiply(a: Matrix, b: Packed, bias: Float64Array = new Float64Array(b.n)): Matrix {
  const { k, n, panels } = b;
  if (a.columns !== k) throw new RangeError(`cannot multiply [${a.rows}, ${a.columns}] by [${k}, ${n}]`);
  const product = multiplyPanels(a.data, a.rows, k, panels);
  const width = panels.length / k;
  const c = matrix(a.rows, n);
  for (let i = 0; i < a.rows; i++) {
    for (let j = 0; j < n; j++) c.data[i * n + j] = (product[i * width + j] as number) + (bias[j] as number);
  }
  return c;
}

/** A + B, element by element. */
export function add(a: Matrix, b: Matrix): Matrix {
  return { ...a, data: a.data.map((x, i) => x + (b.data[i] as number)) };
}

/** max(A, 0), element by element. */
export function relu(a: Matrix): Matrix {
  return { ...a, data: a.data.map(x => Math.max(x, 0)) };
}

/** Each row shifted to mean 0, scaled to variance 1 (with epsilon inside the root), times `gain` plus `bias`. */
export function layerNorm(a: Matrix, gain: Float64Array, bias: Float64Array, epsilon: number): Matrix {
  const { rows, columns } = a;
  const normed = matrix(rows, columns);
  for (let i = 0; i < rows; i++) {
    const row = a.data.subarray(i * columns, (i + 1) * columns);
    const mean = sum(row) / columns;
    const variance = sum(row.map(x => (x - mean) ** 2)) / columns;
    const factor = 1 / Math.sqrt(variance + epsilon);
    for (let j = 0; j < columns; j++) {
      normed.data[i * columns + j] = ((row[j] as number) - mean) * factor * (gain[j] as number) + (bias[j] as number);
    }
  }
  return normed;
}

/** The mean of the rows: [1, columns]. */
export function meanOfRows(a: Matrix): Matrix {
  const mean = matrix(1, a.columns);
  for (let i = 0; i < a.rows; i++) {
    for (let j = 0; j < a.columns; j++) mean.data[j] = (mean.data[j] as number) + (a.data[i * a.columns + j] as number);
  }
  return { ...mean, data: mean.data.map(x => x / a.rows) };
}

export function sum(values: Float64Array): number {
  let total = 0;
  for (const x of values) total += x;
  return total;
}

/** The cosine of the angle between two vectors of one length. */
export function cosine(a: Float64Array, b: Float64Array): number {
  const dot = (x: Float64Array, y: Float64Array): number => sum(x.map((value, i) => value * (y[i] as number)));
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}
