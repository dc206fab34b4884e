import type { ArithmeticSpec } from "../numerics/arithmetic.js";
import { numberTypes } from "../numerics/number-type.js";
import { accumulatorRounder, flushTiny } from "../numerics/rounding.js";
import { softmaxOf } from "./golden/softmax.js";

/** What a run of key tiles gives for a row that sees a key of it. */
export interface RunState {
  readonly rm: number;
  readonly rd: number;
  /** RNV, [F]. */
  readonly rnv: Float32Array;
}

/** A tensor of a merged row that left its range, or a denominator of 0. */
export interface MergeFault {
  readonly tensor: "RD" | "RNV" | "AV";
  readonly zero: boolean;
  readonly index: number;
}

/** Puts the runs of split keys together, row by row (docs/arithmetic.md, "Split keys"). */
export class RunMerger {
  private readonly toA: (x: number) => number;
  private readonly correction: (before: number, after: number) => number;
  private readonly largest: number;
  private readonly reciprocal: boolean;

  constructor(arithmetic: ArithmeticSpec, scale: number) {
    this.toA = accumulatorRounder(arithmetic.accumulator);
    this.correction = softmaxOf(arithmetic, scale).correction;
    this.largest = numberTypes[arithmetic.accumulator].largest;
    this.reciprocal = arithmetic.normalize === "reciprocal";
  }

  /**
   * AV of a row, [F], into `av`, of its runs in ascending order, at least one, and RM and RD into `states` where they are
   * wanted. Gives the first fault, or null.
   */
  merge(
    runs: readonly RunState[],
    valueScale: number | null,
    av: Float32Array,
    states?: Float32Array,
  ): MergeFault | null {
    const { toA, largest } = this;
    const rm = Math.max(...runs.map(run => run.rm));
    const weights = runs.map(run => this.correction(run.rm, rm));
    const sumOf = (of: (run: RunState) => number): number =>
      runs.reduce((sum, run, i) => toA(sum + flushTiny(toA(of(run) * (weights[i] as number)))), 0);
    const rd = sumOf(run => run.rd);
    states?.set([rm, rd]);
    const isOut = (x: number): boolean => !(Math.abs(x) <= largest);
    if (isOut(rd) || rd === 0) return { tensor: "RD", zero: rd === 0, index: 0 };
    const inverse = flushTiny(toA(1 / rd));
    let fault: MergeFault | null = null;
    for (let f = 0; f < av.length; f += 1) {
      const rnv = sumOf(run => run.rnv[f] as number);
      const divided = flushTiny(toA(this.reciprocal ? rnv * inverse : rnv / rd));
      const value = valueScale === null ? divided : flushTiny(toA(divided * valueScale));
      av[f] = value;
      if (isOut(rnv)) fault ??= { tensor: "RNV", zero: false, index: f };
      if (isOut(value)) fault ??= { tensor: "AV", zero: false, index: f };
    }
    return fault;
  }
}
