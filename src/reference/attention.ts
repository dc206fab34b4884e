import type { KeyRange } from "../attention/key-range.js";
import { keyRowAt, kvHeadOfRow } from "../attention/rows.js";
import type { AttentionShape } from "../attention/shape.js";

/**
 * Textbook softmax attention in float64: AV = softmax(scale * Q K^T) V with the row's maximum subtracted. It knows
 * nothing of tiles, formats or PEs; the emulator is judged by it. Sums over keys run in blocks whose
 * results are added with Kahan's compensation, so their error does not grow with the number of keys.
 */
export interface ReferenceTensors {
  /** [B, H, P, E], row-major. */
  readonly q: Float32Array | Float64Array;
  /** [B, Hkv, M, E]. */
  readonly k: Float32Array | Float64Array;
  /** [B, Hkv, M, F]. */
  readonly v: Float32Array | Float64Array;
}

/** What is done to the scores of a row between their product and the softmax, all of it in score units. */
export interface ReferenceScores {
  /** cap * tanh(score / cap), before the bias. */
  readonly softcap?: number;
  readonly bias?: (m: number) => number;
  /** Whether the row sees a key of its range; all of them where absent. */
  readonly sees?: (m: number) => boolean;
  /** A logit of no key. */
  readonly sink?: number;
}

/** Keys whose sum is plain before it is added with compensation. */
const blockKeys = 128;

/**
 * One output row in which more is done to scores than scaling. Keys that the row does not see are not read.
 */
export function referenceRowOf(
  { q, k, v }: ReferenceTensors,
  shape: AttentionShape,
  scale: number,
  row: number,
  { from, to }: KeyRange,
  { softcap, bias, sees, sink }: ReferenceScores,
): Float64Array {
  const { headDim, valueDim } = shape;
  const seen = Array.from({ length: Math.max(0, to - from) }, (_, i) => from + i).filter(m => sees?.(m) ?? true);
  if (seen.length === 0) return new Float64Array(valueDim);
  const first = keyRowAt(shape, kvHeadOfRow(shape, row), 0);
  const query = Float64Array.from(q.subarray(row * headDim, (row + 1) * headDim));
  const gathered = (tensor: Float32Array | Float64Array, width: number): Float64Array => {
    const rows = new Float64Array(seen.length * width);
    for (const [i, m] of seen.entries())
      rows.set(tensor.subarray((first + m) * width, (first + m + 1) * width), i * width);
    return rows;
  };
  const weights = new Float64Array(seen.length);
  scores(query, gathered(k, headDim), 0, weights);
  for (const [i, m] of seen.entries()) {
    const score = scale * (weights[i] as number);
    weights[i] = (softcap === undefined ? score : softcap * Math.tanh(score / softcap)) + (bias?.(m) ?? 0);
  }
  const denominator = softmaxNumerators(weights, 1, sink);
  return weightedSum(weights, gathered(v, valueDim), 0, valueDim).map(x => x / denominator);
}

/**
 * One output row (flat index (b * H + h) * P + p) of attention, [F] in float64, over the keys it sees; zeros where it sees none. `scratch` holds a
 * number for each of them; who asks for many rows gives the same one again.
 */
export function referenceRow(
  { q, k, v }: ReferenceTensors,
  shape: AttentionShape,
  scale: number,
  row: number,
  { from, to }: KeyRange,
  scratch = new Float64Array(Math.max(0, to - from)),
): Float64Array {
  const { headDim, valueDim } = shape;
  if (from >= to) return new Float64Array(valueDim);
  const firstKey = keyRowAt(shape, kvHeadOfRow(shape, row), from);
  const query = Float64Array.from(q.subarray(row * headDim, (row + 1) * headDim));
  const weights = scratch.subarray(0, to - from);
  scores(query, k, firstKey * headDim, weights);
  const denominator = softmaxNumerators(weights, scale);
  return weightedSum(weights, v, firstKey * valueDim, valueDim).map(x => x / denominator);
}

/** Q K^T of one query, four keys at a time. */
function scores(query: Float64Array, k: Float32Array | Float64Array, offset: number, out: Float64Array): void {
  const width = query.length;
  const count = out.length;
  let m = 0;
  for (; m + 3 < count; m += 4) {
    const at = offset + m * width;
    let [s0, s1, s2, s3] = [0, 0, 0, 0];
    for (let e = 0; e < width; e += 1) {
      const x = query[e] as number;
      s0 += x * (k[at + e] as number);
      s1 += x * (k[at + width + e] as number);
      s2 += x * (k[at + 2 * width + e] as number);
      s3 += x * (k[at + 3 * width + e] as number);
    }
    out[m] = s0;
    out[m + 1] = s1;
    out[m + 2] = s2;
    out[m + 3] = s3;
  }
  for (; m < count; m += 1) {
    let s = 0;
    for (let e = 0; e < width; e += 1) s += (query[e] as number) * (k[offset + m * width + e] as number);
    out[m] = s;
  }
}

/** Iterations scores into exp(scale * (score - maximum)) in place and gives their sum, that of the sink included. */
function softmaxNumerators(weights: Float64Array, scale: number, sink = Number.NEGATIVE_INFINITY): number {
  let maximum = sink;
  for (const score of weights) if (score > maximum) maximum = score;
  const sum = new CompensatedSums(1);
  const block = new Float64Array(1);
  for (let start = 0; start < weights.length; start += blockKeys) {
    block[0] = 0;
    for (let m = start; m < Math.min(start + blockKeys, weights.length); m += 1) {
      const weight = Math.exp(scale * ((weights[m] as number) - maximum));
      weights[m] = weight;
      block[0] += weight;
    }
    sum.add(block);
  }
  if (sink > Number.NEGATIVE_INFINITY) sum.add(Float64Array.of(Math.exp(scale * (sink - maximum))));
  return sum.sums[0] as number;
}

/** The sum of weights times rows of V, four keys at a time. */
function weightedSum(
  weights: Float64Array,
  v: Float32Array | Float64Array,
  offset: number,
  width: number,
): Float64Array {
  const sum = new CompensatedSums(width);
  const block = new Float64Array(width);
  for (let start = 0; start < weights.length; start += blockKeys) {
    const end = Math.min(start + blockKeys, weights.length);
    block.fill(0);
    for (let m = start; m < end; m += 4) {
      const at = offset + m * width;
      const w0 = weights[m] as number;
      if (m + 3 < end) {
        const w1 = weights[m + 1] as number;
        const w2 = weights[m + 2] as number;
        const w3 = weights[m + 3] as number;
        for (let f = 0; f < width; f += 1) {
          block[f] =
            (block[f] as number) +
            (w0 * (v[at + f] as number) +
              w1 * (v[at + width + f] as number) +
              (w2 * (v[at + 2 * width + f] as number) + w3 * (v[at + 3 * width + f] as number)));
        }
      } else {
        for (let rest = m; rest < end; rest += 1) {
          const w = weights[rest] as number;
          for (let f = 0; f < width; f += 1) {
            block[f] = (block[f] as number) + w * (v[offset + rest * width + f] as number);
          }
        }
      }
    }
    sum.add(block);
  }
  return sum.sums;
}

/** Kahan's compensated summation (CACM 8, 1965) of vectors. */
class CompensatedSums {
  readonly sums: Float64Array;
  private readonly lost: Float64Array;

  constructor(width: number) {
    this.sums = new Float64Array(width);
    this.lost = new Float64Array(width);
  }

  add(terms: Float64Array): void {
    const { sums, lost } = this;
    for (let i = 0; i < sums.length; i += 1) {
      const before = sums[i] as number;
      const term = (terms[i] as number) - (lost[i] as number);
      const after = before + term;
      lost[i] = after - before - term;
      sums[i] = after;
    }
  }
}
