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

/** Right-hand sides are packed in panels of so many columns, so that the inner loop reads them in a row. */
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

/** A · B + bias: [m, k] · [k, n] + [n]. Four rows by four columns stay in registers. */
export function multiply(a: Matrix, b: Packed, bias?: Float64Array): Matrix {
  const { k, n, panels } = b;
  if (a.columns !== k) throw new RangeError(`cannot multiply [${a.rows}, ${a.columns}] by [${k}, ${n}]`);
  const rows = Math.ceil(a.rows / panel) * panel;
  const left = rows === a.rows ? a.data : padRows(a, rows);
  const sums = new Float64Array(panel * panel);
  const c = matrix(a.rows, n);
  for (let j = 0; j < n; j += panel) {
    for (let i = 0; i < rows; i += panel) {
      multiplyBlock(left, i * k, panels, j * k, k, sums);
      const height = Math.min(panel, a.rows - i);
      const width = Math.min(panel, n - j);
      for (let r = 0; r < height; r++) {
        for (let s = 0; s < width; s++) {
          c.data[(i + r) * n + j + s] =
            (sums[r * panel + s] as number) + (bias === undefined ? 0 : (bias[j + s] as number));
        }
      }
    }
  }
  return c;
}

function padRows(a: Matrix, rows: number): Float64Array {
  const padded = new Float64Array(rows * a.columns);
  padded.set(a.data);
  return padded;
}

/** One 4 × 4 block of the product: `a` from row offset a0, one panel of `b` from p. */
function multiplyBlock(a: Float64Array, a0: number, b: Float64Array, p: number, k: number, sums: Float64Array): void {
  const [a1, a2, a3] = [a0 + k, a0 + 2 * k, a0 + 3 * k];
  let [c00, c01, c02, c03] = [0, 0, 0, 0];
  let [c10, c11, c12, c13] = [0, 0, 0, 0];
  let [c20, c21, c22, c23] = [0, 0, 0, 0];
  let [c30, c31, c32, c33] = [0, 0, 0, 0];
  for (let l = 0; l < k; l++, p += panel) {
    const b0 = b[p] as number;
    const b1 = b[p + 1] as number;
    const b2 = b[p + 2] as number;
    const b3 = b[p + 3] as number;
    let x = a[a0 + l] as number;
    c00 += x * b0;
    c01 += x * b1;
    c02 += x * b2;
    c03 += x * b3;
    x = a[a1 + l] as number;
    c10 += x * b0;
    c11 += x * b1;
    c12 += x * b2;
    c13 += x * b3;
    x = a[a2 + l] as number;
    c20 += x * b0;
    c21 += x * b1;
    c22 += x * b2;
    c23 += x * b3;
    x = a[a3 + l] as number;
    c30 += x * b0;
    c31 += x * b1;
    c32 += x * b2;
    c33 += x * b3;
  }
  sums.set([c00, c01, c02, c03, c10, c11, c12, c13, c20, c21, c22, c23, c30, c31, c32, c33]);
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
