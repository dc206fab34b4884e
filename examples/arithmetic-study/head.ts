import { type ArithmeticSpec, type Matrix, onePassAttention } from "fusemax";

/** One head of attention to be studied: queries that see every key. */
export interface Head {
  readonly name: string;
  readonly q: Matrix;
  readonly k: Matrix;
  readonly v: Matrix;
  readonly scale: number;
  /** What is added to the scaled score of a key, in log2. */
  readonly bias?: (key: number) => number;
}

/** What an arithmetic makes of a head. Errors are rms over that of the exact output. */
export interface Measured {
  readonly values: Float64Array;
  /** Against float64 attention on the operands with their scales: what the arithmetic after them costs. */
  readonly onOperands: number;
  /** Against float64 attention on the inputs as given: the rounding of Q, K and V included. */
  readonly onInputs: number;
  /** Numerators past the largest value of their type, as a share of all. */
  readonly saturated: number;
}

export interface Run {
  /** Keys a tile. */
  readonly m0: number;
  readonly kvSplits?: number;
}

export function attend(arithmetic: ArithmeticSpec, head: Head, { m0, kvSplits = 1 }: Run): Measured {
  const { q, k, v, scale, bias } = head;
  const { av, saturated, decoded } = onePassAttention(arithmetic, {
    ...{ q, k, v, m0, scale, kvSplits, sees: () => true },
    ...(bias === undefined ? {} : { bias: (_: number, m: number) => raw(head, m) }),
  });
  return {
    values: av.values,
    onOperands: relative(av.values, exact({ ...head, ...decoded })),
    onInputs: relative(av.values, given(head)),
    saturated: saturated.p / (q.rows * k.rows),
  };
}

/** A bias in units of the raw score, as an fp32 sum takes it. */
const raw = ({ bias, scale }: Head, key: number): number => Math.fround(((bias?.(key) ?? 0) * Math.LN2) / scale);

const known = new WeakMap<Head, Float64Array>();

function given(head: Head): Float64Array {
  const found = known.get(head) ?? exact(head);
  known.set(head, found);
  return found;
}

/** Scaled scores in log2, [P, M], in float64. */
export function scoresOf(head: Head): Float64Array {
  const { q, k, scale } = head;
  const scores = new Float64Array(q.rows * k.rows);
  for (let p = 0; p < q.rows; p += 1) {
    const query = q.values.subarray(p * q.columns, (p + 1) * q.columns);
    for (let m = 0; m < k.rows; m += 1) {
      let sum = 0;
      const start = m * k.columns;
      for (let e = 0; e < k.columns; e += 1) sum += (query[e] as number) * (k.values[start + e] as number);
      scores[p * k.rows + m] = (sum + raw(head, m)) * scale * Math.LOG2E;
    }
  }
  return scores;
}

/** Textbook attention in float64, [P, F]. */
function exact(head: Head): Float64Array {
  const { q, k, v } = head;
  const scores = scoresOf(head);
  const out = new Float64Array(q.rows * v.columns);
  for (let p = 0; p < q.rows; p += 1) {
    const row = scores.subarray(p * k.rows, (p + 1) * k.rows);
    const largest = row.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
    const sums = out.subarray(p * v.columns, (p + 1) * v.columns);
    let denominator = 0;
    for (let m = 0; m < k.rows; m += 1) {
      const weight = 2 ** ((row[m] as number) - largest);
      denominator += weight;
      for (let f = 0; f < v.columns; f += 1) {
        sums[f] = (sums[f] as number) + weight * (v.values[m * v.columns + f] as number);
      }
    }
    for (let f = 0; f < v.columns; f += 1) sums[f] = (sums[f] as number) / denominator;
  }
  return out;
}

/** Rms of the difference over the rms of `expected`. */
export function relative(got: Float64Array, expected: Float64Array): number {
  let [error, size] = [0, 0];
  for (const [i, x] of expected.entries()) {
    error += ((got[i] as number) - x) ** 2;
    size += x ** 2;
  }
  return Math.sqrt(error / size);
}
