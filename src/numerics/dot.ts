import type { ArithmeticSpec, OperandSpec } from "./arithmetic.js";
import { blockSum } from "./block-sum.js";
import { exponentOf } from "./number-type.js";
import { accumulatorRounder } from "./rounding.js";

/** One position of a sum of products. */
export interface Term {
  readonly a: number;
  readonly b: number;
  /** The query sees the key of this position (always, for features); else the position holds 0. */
  readonly visible: boolean;
}

/** Consecutive positions with one pair of scales, which is 1 and 1 without blocks. */
export interface Run {
  readonly terms: readonly Term[];
  readonly scaleA: number;
  readonly scaleB: number;
}

/** The sum of `runs` on top of `from`: runs and positions in the order in which they are given. */
export type Dot = (from: number, runs: readonly Run[]) => number;

const toFp32 = accumulatorRounder("fp32");

/**
 * Sums of products (docs/arithmetic.md, "Sums of products"), for operands of `a` and `b`:
 * a chain s = rA(s + a * b); with blocks of scales u = RNE32(u + a * b) from +0 in each, and s = rA(s + u * scales); or
 * a tensor core's steps.
 */
export function dotOf({ dot, accumulator }: ArithmeticSpec, a: OperandSpec, b: OperandSpec): Dot {
  const toA = accumulatorRounder(accumulator);
  if (dot !== "chain") {
    const sum = blockSum(dot, a.type, b.type);
    return (from, runs) => {
      let s = from;
      for (const { terms, scaleA, scaleB } of runs) {
        const scale = exponentOf(scaleA * scaleB);
        for (let first = 0; first < terms.length; first += dot.block) {
          const step = terms.slice(first, first + dot.block).filter(({ visible }) => visible);
          if (step.length === 0) continue;
          sum.start(s, scale);
          for (const term of step) sum.product(term.a, term.b);
          s = sum.end();
        }
      }
      return s;
    };
  }
  const chain = (from: number, terms: readonly Term[], round: (x: number) => number): number => {
    let s = from;
    for (const term of terms) if (term.visible) s = round(s + Math.fround(term.a * term.b));
    return s;
  };
  if (a.scale === "mx" || a.scale === "nvfp4") {
    const scaled =
      a.scale === "mx"
        ? (u: number, { scaleA, scaleB }: Run) => u * scaleA * scaleB
        : (u: number, { scaleA, scaleB }: Run) => Math.fround(u * Math.fround(scaleA * scaleB));
    return (from, runs) => {
      let s = from;
      for (const run of runs) s = toA(s + scaled(chain(0, run.terms, toFp32), run));
      return s;
    };
  }
  return (from, runs) => runs.reduce((s, { terms }) => chain(s, terms, toA), from);
}
