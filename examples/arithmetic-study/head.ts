import { cpuEngine, emulate, noMask } from "fusemax";
import type { AttentionProblem, Operands } from "#fusemax/attention/problem";
import type { Emulation } from "#fusemax/emulator/emulate";
import type { Engine } from "#fusemax/emulator/engine";
import type { Matrix } from "#fusemax/emulator/golden/encode";
import { type ArithmeticSpec, scaleBlock } from "#fusemax/numerics/arithmetic";

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
  readonly values: Float32Array;
  /** Against float64 attention on the operands with their scales: what the arithmetic after them costs. */
  readonly onOperands: number;
  /** Against float64 attention on the inputs as given: the rounding of Q, K and V included. */
  readonly onInputs: number;
  /** Numerators past the largest value of their type, as a share of all. */
  readonly saturated: number;
}

export interface Run {
  /** Keys per tile. */
  readonly m0: number;
  readonly kvSplits?: number;
}

/** FuseMax's cascade is printed as code too: one engine for every arithmetic. */
const engine = cpuEngine({ specialize: false });

export async function attend(arithmetic: ArithmeticSpec, head: Head, run: Run): Promise<Measured> {
  const { av, saturated, operands } = await emulateHeads(arithmetic, [head], { ...run, p0: head.q.rows }, engine);
  return {
    values: av,
    onOperands: relative(av, exact(decoded(arithmetic, head, operands))),
    onInputs: relative(av, given(head)),
    saturated: saturated / (head.q.rows * head.k.rows),
  };
}

/** The heads as sequences of one batch. They have the same sizes, and the bias of the first. */
export async function emulateHeads(
  arithmetic: ArithmeticSpec,
  heads: readonly [Head, ...Head[]],
  { m0, p0, kvSplits = 1 }: Run & { readonly p0: number },
  on: Engine,
): Promise<Emulation> {
  const [first] = heads;
  const { q, k, v, scale, bias } = first;
  const joined = (of: (head: Head) => Matrix): Float64Array => Float64Array.from(heads.flatMap(h => [...of(h).values]));
  const problem: AttentionProblem = {
    shape: {
      ...{ batch: heads.length, heads: 1, kvHeads: 1, queries: q.rows, keys: k.rows },
      ...{ headDim: q.columns, valueDim: v.columns },
    },
    ...{ mask: noMask, tile: { m0, p0 }, arithmetic, scale, kvSplits },
  };
  const inputs = { q: joined(h => h.q), k: joined(h => h.k), v: joined(h => h.v) };
  const values = Float32Array.from({ length: k.rows }, (_, m) => (bias?.(m) ?? 0) * Math.LN2);
  const added = bias === undefined ? {} : { bias: { shape: [k.rows], values } };
  return emulate(problem, { ...inputs, ...added }, { engine: on });
}

/** The head whose inputs are the operands, times their scales. */
function decoded({ operands }: ArithmeticSpec, head: Head, { q, k, v, scales }: Operands): Head {
  /** `along`: how many elements in a row of the tensor a scale stands for; V's blocks lie along the keys. */
  const times = (name: "q" | "k" | "v", values: Float32Array): Float64Array => {
    const own = scales?.[name];
    if (own === undefined) return Float64Array.from(values);
    const { columns } = head[name];
    const block = scaleBlock(operands[name].scale);
    return Float64Array.from(values, (x, i) => {
      const [row, column] = [Math.floor(i / columns), i % columns];
      const blocks = block === null ? 1 : Math.ceil(columns / block);
      const place =
        name === "v"
          ? block === null
            ? 0
            : Math.floor(row / block) * columns + column
          : row * blocks + (block === null ? 0 : Math.floor(column / block));
      return x * (own[place] as number);
    });
  };
  return {
    ...head,
    q: { ...head.q, values: times("q", q) },
    k: { ...head.k, values: times("k", k) },
    v: { ...head.v, values: times("v", v) },
  };
}

/** A bias in units of the raw score, as an fp32 sum takes it. */
const raw = ({ bias, scale }: Head, key: number): number =>
  bias === undefined ? 0 : Math.fround(Math.fround(bias(key) * Math.LN2) / scale);

const known = new WeakMap<Head, Float64Array>();

function given(head: Head): Float64Array {
  const found = known.get(head) ?? exact(head);
  known.set(head, found);
  return found;
}

/** Scaled scores in log2, [P, M], in float64. */
export function scoresOf(head: Head): Float64Array {
  const { q, k, scale } = head;
  const added = Float64Array.from({ length: k.rows }, (_, m) => raw(head, m));
  const scores = new Float64Array(q.rows * k.rows);
  for (let p = 0; p < q.rows; p += 1) {
    const query = q.values.subarray(p * q.columns, (p + 1) * q.columns);
    for (let m = 0; m < k.rows; m += 1) {
      let sum = added[m] as number;
      const start = m * k.columns;
      for (let e = 0; e < k.columns; e += 1) sum += (query[e] as number) * (k.values[start + e] as number);
      scores[p * k.rows + m] = sum * scale * Math.LOG2E;
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
export function relative(got: ArrayLike<number>, expected: ArrayLike<number>): number {
  let [error, size] = [0, 0];
  for (let i = 0; i < expected.length; i += 1) {
    const x = expected[i] as number;
    error += ((got[i] as number) - x) ** 2;
    size += x ** 2;
  }
  return Math.sqrt(error / size);
}
