import { InputError, NumericsError } from "../../errors.js";
import type { ArithmeticSpec } from "../../numerics/arithmetic.js";
import { boundInWords, largestOperand, largestScale, smallestScale } from "../../numerics/limits.js";
import { numberTypes } from "../../numerics/number-type.js";
import { accumulatorRounder, flushTiny } from "../../numerics/rounding.js";
import { type Encoded, encode, isScaledAfterwards, type Matrix, transposed } from "./encode.js";
import { numeratorsOf } from "./numerators.js";
import { scoresOf } from "./scores.js";
import { smoothKeys } from "./smooth.js";
import { type Softmax, softmaxOf } from "./softmax.js";
import { placesOf, type TileKeys, type WeightedSum, weightedSumOf } from "./weighted-sums.js";

/** One head of attention. */
export interface OneHead {
  /** [P, E] */
  readonly q: Matrix;
  /** [M, E] */
  readonly k: Matrix;
  /** [M, F] */
  readonly v: Matrix;
  /** Keys a tile. */
  readonly m0: number;
  readonly scale: number;
  /** Whether query p sees key m. */
  sees(p: number, m: number): boolean;
  /** Runs of key tiles that are merged at the end. */
  readonly kvSplits: number;
}

export interface OneHeadResult {
  /** AV [P, F]: values of the accumulator. */
  readonly av: Matrix;
  /** Operands that were past the largest value of their type. */
  readonly saturated: Readonly<Record<"q" | "k" | "v" | "p", number>>;
}

/** What a run of tiles carries for one query. */
interface Carried {
  readonly rm: number;
  readonly rd: number;
  readonly rnv: readonly number[];
}

/**
 * Attention of one head in one pass over the keys, in any arithmetic: the golden bits of docs/arithmetic.md, one value
 * at a time.
 * @throws InputError for values or sizes out of range, NumericsError where a result leaves the accumulator's range
 */
export function onePassAttention(arithmetic: ArithmeticSpec, head: OneHead): OneHeadResult {
  checkHead(head);
  const { operands } = arithmetic;
  const { q, v } = head;
  const seen = Array.from({ length: head.k.rows }, (_, m) =>
    Array.from({ length: q.rows }).some((_, p) => head.sees(p, m)),
  );
  const matrices = {
    q,
    k: onlyRows(arithmetic.smooth === "keys" ? smoothKeys(head.k, seen) : head.k, seen),
    v: transposed(onlyRows(v, seen)),
  };
  const encodedAs = (name: "q" | "k" | "v"): Encoded => {
    checkValues(name, matrices[name], operands[name].scale === "none" ? Number.MAX_VALUE : largestScaled);
    const encoded = encode(matrices[name], operands[name]);
    checkValues(name, encoded, largestOperand(operands[name].type));
    return encoded;
  };
  const encoded = { q: encodedAs("q"), k: encodedAs("k"), v: encodedAs("v") };
  const query = new Query(arithmetic, head, encoded);
  const av = new Float64Array(q.rows * v.columns);
  for (let p = 0; p < q.rows; p += 1) av.set(query.output(p), p * v.columns);
  return {
    av: { rows: q.rows, columns: v.columns, values: av },
    saturated: {
      q: encoded.q.saturated,
      k: encoded.k.saturated,
      v: encoded.v.saturated,
      p: query.saturated,
    },
  };
}

/** Computes the queries of a head one after the other. */
class Query {
  /** Numerators that were past the largest value of p's type. */
  saturated = 0;
  private readonly toA: (x: number) => number;
  private readonly score: (p: number, m: number) => number;
  private readonly weightedSum: WeightedSum;
  private readonly softmax: Softmax;
  private readonly largest: number;

  constructor(
    private readonly arithmetic: ArithmeticSpec,
    private readonly head: OneHead,
    private readonly encoded: Readonly<Record<"q" | "k" | "v", Encoded>>,
  ) {
    this.toA = accumulatorRounder(arithmetic.accumulator);
    this.score = scoresOf(arithmetic, encoded.q, encoded.k);
    this.weightedSum = weightedSumOf(arithmetic, encoded.v);
    this.softmax = softmaxOf(arithmetic, head.scale);
    this.largest = numberTypes[arithmetic.accumulator].largest;
  }

  /** AV of a query, [F]; +0 without a key. */
  output(p: number): readonly number[] {
    const { k, m0, kvSplits } = this.head;
    const tiles = Math.ceil(k.rows / m0);
    const perRun = Math.ceil(tiles / kvSplits);
    const runs: Carried[] = [];
    for (let first = 0; first < tiles; first += perRun) {
      let carried: Carried | null = null;
      for (let m1 = first; m1 < Math.min(first + perRun, tiles); m1 += 1) carried = this.tile(p, m1, carried);
      if (carried !== null) runs.push(carried);
    }
    const [only] = runs;
    if (only === undefined) return new Array<number>(this.head.v.columns).fill(0);
    return this.normalized(p, kvSplits === 1 ? only : this.merged(p, runs));
  }

  /** One tile; nothing changes where the query sees no key. */
  private tile(p: number, m1: number, before: Carried | null): Carried | null {
    const { arithmetic, head, softmax, toA } = this;
    const first = m1 * head.m0;
    const keys: TileKeys = {
      first,
      end: Math.min(first + head.m0, head.k.rows),
      sees: m => head.sees(p, m),
    };
    const at = (tensor: string): string => `${tensor} of query ${p}, tile ${m1}`;
    const places = placesOf(keys, arithmetic.keys).filter(place => keys.sees(first + place));
    if (places.length === 0) return before;

    const scores = new Float64Array(keys.end - first);
    for (const place of places) scores[place] = this.checked(this.score(p, first + place), at("BQK"));
    const lm = places.reduce((most, place) => Math.max(most, scores[place] as number), Number.NEGATIVE_INFINITY);
    const { rm, prm } = softmax.next(before?.rm ?? null, lm);

    const values = new Float64Array(scores.length);
    for (const place of places) {
      values[place] = softmax.numerator(scores[place] as number, rm, `${at("SLN")}, key ${first + place}`);
    }
    const numerators = numeratorsOf(values, arithmetic.operands.p);
    this.saturated += numerators.saturated;
    for (const place of places) this.checked(numerators.operands[place] as number, at("SLN"));

    const running = arithmetic.sums === "running";
    const spd = flushTiny(toA((before?.rd ?? 0) * prm));
    let rd = running ? spd : 0;
    for (const place of places) {
      const term =
        arithmetic.denominator === "rounded"
          ? (numerators.operands[place] as number) * numerators.scale(place)
          : toA(values[place] as number);
      rd = toA(rd + term);
    }
    if (!running) rd = toA(rd + spd);

    const rnv = Array.from({ length: head.v.columns }, (_, f) => {
      const spnv = flushTiny(toA((before?.rnv[f] ?? 0) * prm));
      const slnv = this.weightedSum(running ? spnv : 0, numerators, keys, f);
      this.checked(slnv, at("SLNV"));
      return this.checked(running ? slnv : toA(slnv + spnv), at("RNV"));
    });
    return { rm, rd: this.checked(rd, at("RD")), rnv };
  }

  /** Runs of split keys put together, in ascending order. */
  private merged(p: number, runs: readonly Carried[]): Carried {
    const { softmax, toA } = this;
    const rm = Math.max(...runs.map(run => run.rm));
    let rd = 0;
    const rnv = new Array<number>(this.head.v.columns).fill(0);
    for (const run of runs) {
      const w = softmax.correction(run.rm, rm);
      const add = (sum: number, x: number): number => toA(sum + flushTiny(toA(x * w)));
      rd = this.checked(add(rd, run.rd), `RD of query ${p}, merged`);
      for (const [f, x] of run.rnv.entries())
        rnv[f] = this.checked(add(rnv[f] as number, x), `RNV of query ${p}, merged`);
    }
    return { rm, rd, rnv };
  }

  private normalized(p: number, { rd, rnv }: Carried): readonly number[] {
    const { arithmetic, encoded, toA } = this;
    const round = (x: number): number => flushTiny(this.checked(toA(x), `AV of query ${p}`));
    const scaled = isScaledAfterwards(arithmetic.operands.v);
    if (rd === 0) {
      throw new NumericsError({
        where: `RD of query ${p}`,
        got: "0: every numerator rounds to 0",
        expected: "a sum above 0",
        mend: "a larger offset or a wider type for p",
      });
    }
    return rnv.map((x, f) => {
      const av = arithmetic.normalize === "divide" ? round(x / rd) : round(x * round(1 / rd));
      return scaled ? round(av * encoded.v.scale(f, 0)) : av;
    });
  }

  private checked(x: number, where: string): number {
    if (Math.abs(x) <= this.largest) return x;
    const { accumulator } = this.arithmetic;
    throw new NumericsError({
      where,
      got: String(x),
      expected: `at most ${this.largest} in magnitude (${accumulator})`,
    });
  }
}

/** The matrix with zeros in the rows that are out. */
function onlyRows({ rows, columns, values }: Matrix, kept: readonly boolean[]): Matrix {
  const only = values.slice();
  for (let row = 0; row < rows; row += 1) {
    if (kept[row] !== true) only.fill(0, row * columns, (row + 1) * columns);
  }
  return { rows, columns, values: only };
}

function checkHead({ q, k, v, m0, scale, kvSplits }: OneHead): void {
  const fail = (where: string, got: number, expected: string): never => {
    throw new InputError({ where, got: String(got), expected });
  };
  if (k.columns !== q.columns) fail("features of k", k.columns, `${q.columns}, those of q`);
  if (v.rows !== k.rows) fail("keys of v", v.rows, `${k.rows}, those of k`);
  for (const [name, size] of [
    ["m0", m0],
    ["kvSplits", kvSplits],
  ] as const) {
    if (!(Number.isInteger(size) && size >= 1)) fail(name, size, "a whole number of at least 1");
  }
  if (!(scale >= smallestScale && scale <= largestScale)) fail("scale", scale, "a number from 2^-12 to 2^12");
}

/** Elements that are scaled: products of two scales stay in fp32's range. */
const largestScaled = 2 ** 50;

function checkValues(name: string, { values, columns }: Matrix, limit: number): void {
  const index = values.findIndex(x => !(Math.abs(x) <= limit));
  if (index < 0) return;
  const place = [Math.floor(index / columns), index % columns];
  throw new InputError({
    where: `${name}[${(name === "v" ? place.reverse() : place).join(",")}]`,
    got: String(values[index]),
    expected: limit === Number.MAX_VALUE ? "a finite number" : `at most ${boundInWords(limit)} in magnitude`,
  });
}
