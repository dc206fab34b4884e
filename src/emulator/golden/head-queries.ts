import { NumericsError } from "../../errors.js";
import { type ArithmeticSpec, isScaledAfterwards } from "../../numerics/arithmetic.js";
import { numberTypes } from "../../numerics/number-type.js";
import { accumulatorRounder, flushTiny } from "../../numerics/rounding.js";
import type { Encoded } from "./encode.js";
import type { OneHead } from "./head.js";
import { numeratorsOf } from "./numerators.js";
import { scoresOf } from "./scores.js";
import { softcapOf } from "./softcap.js";
import { type Softmax, softmaxOf } from "./softmax.js";
import { placesOf, type TileKeys, type WeightedSum, weightedSumOf } from "./weighted-sums.js";

/** What a run of tiles carries for one query. */
interface Carried {
  readonly rm: number;
  readonly rd: number;
  readonly rnv: readonly number[];
}

export interface QueryResult {
  /** AV, [F]. */
  readonly av: readonly number[];
  readonly states: { readonly rm: number; readonly rd: number } | null;
}

/** Computes the queries of a head one after the other. */
export class HeadQueries {
  /** Numerators that were past the largest value of p's type. */
  saturated = 0;
  private readonly toA: (x: number) => number;
  private readonly score: (p: number, m: number) => number;
  private readonly weightedSum: WeightedSum;
  private readonly softmax: Softmax;
  private readonly largest: number;
  private readonly label: string;
  private readonly softcap: (s: number) => number;
  private readonly zeros: readonly number[];
  /** What a query begins with where there is a sink. */
  private readonly sunk: Carried | null;

  constructor(
    private readonly arithmetic: ArithmeticSpec,
    private readonly head: OneHead,
    private readonly encoded: Readonly<Record<"q" | "k" | "v", Encoded>>,
  ) {
    this.toA = accumulatorRounder(arithmetic.accumulator);
    this.score = scoresOf(arithmetic, encoded.q, encoded.k);
    this.weightedSum = weightedSumOf(arithmetic, encoded.v);
    this.softmax = softmaxOf(arithmetic, head.scale);
    this.label = head.label ?? "";
    this.softcap = head.softcap === undefined ? s => s : softcapOf(arithmetic, head.softcap, head.scale);
    this.zeros = new Array<number>(head.v.columns).fill(0);
    this.sunk =
      head.sink === undefined ? null : { rm: head.sink, rd: Math.fround(2 ** arithmetic.offset), rnv: this.zeros };
    this.largest = numberTypes[arithmetic.accumulator].largest;
  }

  /** AV of a query, [F], +0 without a key; RM and RD at the end, null where there is neither a key nor a sink. */
  output(p: number): QueryResult {
    const { k, m0, kvSplits } = this.head;
    const tiles = Math.ceil(k.rows / m0);
    const perRun = Math.ceil(tiles / kvSplits);
    const runs: Carried[] = [];
    for (let first = 0; first < tiles; first += perRun) {
      let carried = first === 0 ? this.sunk : null;
      for (const m1 of this.tilesOf(first, Math.min(first + perRun, tiles))) carried = this.tile(p, m1, carried);
      if (carried !== null) runs.push(carried);
    }
    const [only] = runs;
    if (only === undefined) return { av: this.zeros, states: null };
    const end = kvSplits === 1 ? only : this.merged(p, runs);
    const seesNone = only === this.sunk && runs.length === 1;
    return { av: seesNone ? this.zeros : this.normalized(p, end), states: { rm: end.rm, rd: end.rd } };
  }

  /** BQK as the maximum sees it: the product, capped, with its bias. */
  private finalScore(p: number, m: number, where: string): number {
    const { bias } = this.head;
    const capped = this.softcap(this.checked(this.score(p, m), where));
    return this.checked(bias === undefined ? capped : this.toA(capped + bias(p, m)) + 0, where);
  }

  /** The tiles of a run, in the order in which it reads them: that of its keys. */
  private tilesOf(first: number, end: number): readonly number[] {
    const tiles = Array.from({ length: end - first }, (_, i) => first + i);
    return this.arithmetic.keys === "ascending" ? tiles : tiles.reverse();
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
    const at = (tensor: string): string => `${this.label}${tensor} of query ${p}, tile ${m1}`;
    const places = placesOf(keys, arithmetic.keys).filter(place => keys.sees(first + place));
    if (places.length === 0) return before;

    const scores = new Float64Array(keys.end - first);
    for (const place of places) scores[place] = this.finalScore(p, first + place, at("BQK"));
    const lm = places.reduce((most, place) => Math.max(most, scores[place] as number), Number.NEGATIVE_INFINITY);
    const { rm, prm } = softmax.next(before?.rm ?? null, lm, at("PRM"));

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
      rd = this.checked(add(rd, run.rd), `${this.label}RD of query ${p}, merged`);
      for (const [f, x] of run.rnv.entries())
        rnv[f] = this.checked(add(rnv[f] as number, x), `${this.label}RNV of query ${p}, merged`);
    }
    return { rm, rd, rnv };
  }

  private normalized(p: number, { rd, rnv }: Carried): readonly number[] {
    const { arithmetic, encoded, toA } = this;
    const round = (x: number): number => flushTiny(this.checked(toA(x), `${this.label}AV of query ${p}`));
    const scaled = isScaledAfterwards(arithmetic.operands.v);
    if (rd === 0) {
      throw new NumericsError({
        where: `${this.label}RD of query ${p}`,
        got: "0: every numerator rounds to 0",
        expected: "a sum above 0",
        fix: "a larger offset or a wider type for p",
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
