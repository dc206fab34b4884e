import { type ArithmeticSpec, scaleBlock } from "../numerics/arithmetic.js";
import { dotOf, type Run } from "../numerics/dot.js";
import { exponentialOf } from "../numerics/exponential.js";
import type { FloatSpec } from "../numerics/number-type.js";
import { exponentFactor } from "../numerics/pe.js";
import { accumulatorRounder, bitsOf, flushCorrection, flushTiny, roundToOperand } from "../numerics/rounding.js";
import { fusedMultiplyAdd32 } from "../numerics/single-rounding.js";
import { numeratorsOf } from "./golden/numerators.js";

/**
 * The operations that an engine shows one by one, as its kernels use them:
 *
 * - `add` rA(a + b) · `mul` z(rA(a * b)) · `subtract` rA(a - b) · `div` z(rA(a / b)), b > 0
 * - `update` rA(c + z(rA(a * b))): steps 6 and 7, where the product must not fuse with the sum
 * - `cancel` ((a + b) - a) - b, each step rounded to fp32: nothing may be reassociated
 * - `fused` RNE32(a * b + c), rounded once
 * - `exp` E2(a) with c = b · `power` E2 of t = a · `numerator` rO(E2(a)) · `correction` rP(E2(a))
 * - `operand` rO(a) to p's type
 * - `score` and `weightedSum`: sums from +0 of `chain` consecutive operands of `a` and `b`, of q and k or of p and v, by the
 *   arithmetic's `dot`; with blocks, `c` holds the products of their scales
 * - `blockScale` the scale of a block of numerators whose largest is a · `blockNumerator` the operand of a in a block whose
 *   largest is b
 */
export type SelfTestOp =
  | "add"
  | "mul"
  | "subtract"
  | "div"
  | "update"
  | "cancel"
  | "fused"
  | "exp"
  | "power"
  | "numerator"
  | "correction"
  | "operand"
  | "score"
  | "weightedSum"
  | "blockScale"
  | "blockNumerator";

export type SumOp = "score" | "weightedSum";
/** Operations that make one result of single values. */
export type PointOp = Exclude<SelfTestOp, SumOp>;

/** One operation on many operands, everything as the bits of fp32 values. */
export interface OpCase {
  /** What these cases are about. */
  readonly title: string;
  readonly op: SelfTestOp;
  readonly arithmetic: ArithmeticSpec;
  /** For sums, how many consecutive elements of `a` and `b` make one result; 1 for all others. */
  readonly chain: number;
  /** Operands that an operation does not use are empty. */
  readonly a: Uint32Array;
  readonly b: Uint32Array;
  readonly c: Uint32Array;
  readonly expected: Uint32Array;
}

/** What an operation that makes one result of single values gives: the golden bits. */
export type PointOps = Readonly<Record<PointOp, (a: number, b: number, c: number) => number>>;

/** The operations of an arithmetic as src/numerics and the golden implementation have them. */
export function goldenOps(arithmetic: ArithmeticSpec): PointOps {
  const { accumulator, operands } = arithmetic;
  const toA = accumulatorRounder(accumulator);
  const e2 = exponentialOf(arithmetic);
  const exp = (x: number, c: number): number => e2(Math.fround(x * c));
  const operand = (x: number): number => roundToOperand(x, operands.p.type);
  const mul = (a: number, b: number): number => flushTiny(toA(a * b));
  /** A block of one numerator, beside the largest of its block. */
  const block = (x: number, amax: number) => numeratorsOf(Float64Array.of(x, amax), operands.p);
  return {
    add: (a, b) => toA(a + b),
    mul,
    subtract: (a, b) => toA(a - b),
    div: (a, b) => flushTiny(toA(a / b)),
    update: (a, b, c) => toA(c + mul(a, b)),
    cancel: (a, b) => Math.fround(Math.fround(Math.fround(a + b) - a) - b) + 0,
    fused: (a, b, c) => fusedMultiplyAdd32(a, b, c) + 0,
    exp,
    power: e2,
    numerator: (x, c) => operand(exp(x, c)),
    correction: (x, c) => flushCorrection(toA(exp(x, c))),
    operand,
    blockScale: amax => block(0, amax).scale(0),
    blockNumerator: (x, amax) => block(x, amax).operands[0] ?? 0,
  };
}

/** What meets in the sums of an operation: the types of its operands, and the width of their blocks. */
export function sumOperands({ operands }: ArithmeticSpec, op: SumOp): readonly [FloatSpec, FloatSpec, number | null] {
  const [a, b] = op === "score" ? [operands.q, operands.k] : [operands.p, operands.v];
  return [a.type, b.type, scaleBlock(b.scale)];
}

/** A sum of products by the arithmetic's `dot`; `scales` are the products of those of its blocks. */
export function goldenSum(
  arithmetic: ArithmeticSpec,
  op: SumOp,
): (a: ArrayLike<number>, b: ArrayLike<number>, scales: ArrayLike<number>) => number {
  const { operands } = arithmetic;
  const dot = op === "score" ? dotOf(arithmetic, operands.q, operands.k) : dotOf(arithmetic, operands.p, operands.v);
  const [, , width] = sumOperands(arithmetic, op);
  return (a, b, scales) => {
    const runs: Run[] = [];
    for (let first = 0; first < a.length; first += width ?? a.length) {
      const last = Math.min(first + (width ?? a.length), a.length);
      const terms = Array.from({ length: last - first }, (_, i) => ({
        a: a[first + i] as number,
        b: b[first + i] as number,
        visible: true,
      }));
      runs.push({ terms, scaleA: scales[runs.length] ?? 1, scaleB: 1 });
    }
    return dot(0, runs);
  };
}

const arity: Readonly<Record<PointOp, 1 | 2 | 3>> = {
  add: 2,
  mul: 2,
  subtract: 2,
  div: 2,
  update: 3,
  cancel: 2,
  fused: 3,
  exp: 2,
  power: 1,
  numerator: 2,
  correction: 2,
  operand: 1,
  blockScale: 1,
  blockNumerator: 2,
};

export type Triple = readonly [a: number, b: number, c?: number];

/** Cases of one operation, with their golden results. */
export function pointCase(title: string, op: PointOp, arithmetic: ArithmeticSpec, triples: readonly Triple[]): OpCase {
  const golden = goldenOps(arithmetic)[op];
  const column = (i: number): Uint32Array =>
    Uint32Array.from(i < arity[op] ? triples : [], triple => bitsOf(triple[i] ?? 0));
  const expected = Uint32Array.from(triples, ([a, b, c]) => bitsOf(golden(a, b, c ?? 0)));
  return { title, op, arithmetic, chain: 1, a: column(0), b: column(1), c: column(2), expected };
}

/** c of exponentials with the scale 1. */
export const unitFactor = exponentFactor(1);
