import type { FloatType, Format } from "./format.js";
import { smallestCorrection, smallestExponent, smallestResult } from "./limits.js";
import { type FloatSpec, numberTypes } from "./number-type.js";
import { bitsOf } from "./rounding.js";

/**
 * Named error bounds of the array's arithmetic, derived from the contract (docs/numerics.md, "How far from exact"). The
 * model of each operation is rA(x) = x (1 + d) + a with |d| <= u, |a| <= g: u the unit roundoff, g for gradual
 * underflow (fp16's: others flush before it).
 */

/** How many fp32 values lie between two; 0 for equal bits. Zeros of either sign are one value. */
export function ulpDistance(a: number, b: number): number {
  const place = (x: number): number => {
    const u = bitsOf(x);
    return u >= 0x80000000 ? -(u - 0x80000000) : u;
  };
  return Math.abs(place(a) - place(b));
}

/** Past this fall in log2 an exponential is +0, a step of rounding included. */
const largestFall = 1 - smallestExponent;

const fp32Unit = 2 ** -24;

/** Largest relative error of rounding a normal value to a type. */
export const operandUnit = ({ significandBits }: FloatSpec): number => 2 ** -significandBits;

/** Largest relative error of rA: RNE to fp32, then to A. */
export function accumulatorUnit(type: FloatSpec): number {
  const unit = operandUnit(type);
  return unit === fp32Unit ? unit : unit + fp32Unit * (1 + unit);
}

/**
 * Half the step of subnormals: the absolute error that a rounding may have in addition. Far below `smallestResult` where
 * the flush comes before them.
 */
const underflow = ({ significandBits, leastExponent }: FloatSpec): number => 2 ** (leastExponent - significandBits);

/**
 * gamma_n = n u / (1 - n u): the relative error of n roundings in a row (Higham, Accuracy and Stability, Lemma 3.1);
 * Infinity when n u >= 1.
 */
export function gamma(n: number, u: number): number {
  return n * u < 1 ? (n * u) / (1 - n * u) : Number.POSITIVE_INFINITY;
}

/**
 * Relative error of E2 against exp(scale * x') for t = scale * x' * log2 e >= -50: c and t are each rounded to fp32,
 * which moves the exponent by |t| 2^-24 twice; the polynomial is 2^-22.4 off 2^f; and its terms, all positive, pass
 * through at most 12 roundings each.
 */
export function exponentialError(accumulator: FloatType, t: number): number {
  const moved = Math.expm1(2 * Math.abs(t) * fp32Unit * Math.LN2 * (1 + fp32Unit) + fp32Unit);
  const type = numberTypes[accumulator];
  return moved + 2 ** -22.4 + gamma(12, accumulatorUnit(type)) + underflow(type);
}

/** One query's exact scores and the values it weighs, over the keys it sees in ascending order. */
export interface RowData {
  readonly format: Format;
  readonly scale: number;
  /** Keys per tile. */
  readonly m0: number;
  /** E. */
  readonly headDim: number;
  /** q . k of each key. */
  readonly scores: readonly number[];
  /** Sum over e of |q_e k_e| of each key. */
  readonly magnitudes: readonly number[];
  /** v_f of each key for one column f. */
  readonly values: readonly number[];
}

/**
 * Bound on |AV_f - exact softmax attention on the operands| for one output element; Infinity when the format is too
 * narrow for a statement.
 *
 * Exact weights are w_m = exp(scale (s_m - max s)), so that their sum is at least 1. A computed weight carries, as
 * relative errors: gamma_(E+1) of its score's magnitude in the exponent; the rounding of its own difference and of the
 * corrections' (which telescope to the spread of the scores); E2 once for itself and once for each of the T tiles; its
 * rounding to O; and M0 + 2 T roundings of sums and products. Flushes and gradual underflow lose absolute amounts: of
 * each weight once, of everything so far once per tile, of each sum once a step.
 */
export function attentionErrorBound(row: RowData): number {
  const { format, scale, m0, headDim, scores, magnitudes, values } = row;
  const u = accumulatorUnit(numberTypes[format.accumulator]);
  const g = underflow(numberTypes[format.accumulator]);
  const tiles = Math.ceil(scores.length / m0) + 1;
  const scoreUnit = gamma(headDim + 1, u);
  const scoreError = scoreUnit * Math.max(...magnitudes) + headDim * g;
  const spread = Math.max(...scores) - Math.min(...scores) + 2 * scoreError;
  const common =
    Math.exp(scale * u * (Math.min(spread, (largestFall * Math.LN2) / scale) + spread)) *
    (1 + exponentialError(format.accumulator, largestFall)) ** (1 + tiles) *
    (1 + operandUnit(numberTypes[format.operand])) *
    (1 + gamma(m0 + 2 * tiles, u));
  // The maximum itself is off by scoreError, which scales the lost amounts.
  const scaled = Math.exp(scale * scoreError);
  const lostPerKey =
    scaled *
    (Math.max(smallestCorrection, numberTypes[format.operand].flush) + tiles * (2 * smallestCorrection + 4 * g));
  const lost = scaled * tiles * (m0 + 2) * (g + smallestResult);

  const maximum = Math.max(...scores);
  const sums = { numerator: 0, denominator: 0, numeratorError: lost, denominatorError: lost };
  for (const [m, score] of scores.entries()) {
    const weight = Math.exp(scale * (score - maximum));
    const own = scale * (scoreUnit * (magnitudes[m] as number) + headDim * g);
    const error = weight * (Math.exp(own + scale * scoreError) * common - 1) + lostPerKey;
    const value = values[m] as number;
    sums.numerator += weight * value;
    sums.denominator += weight;
    sums.numeratorError += error * Math.abs(value);
    sums.denominatorError += error;
  }
  if (!(sums.denominatorError < sums.denominator)) return Number.POSITIVE_INFINITY;
  const exact = Math.abs(sums.numerator / sums.denominator);
  const moved = (sums.numeratorError + exact * sums.denominatorError) / (sums.denominator - sums.denominatorError);
  return moved + (exact + moved) * u + g + smallestResult;
}

/**
 * Bound on |AV_f - AV_f'| for two orders of the keys inside their tiles: scores, maxima, weights and corrections are
 * the same bits, and only the sums differ. Each passes through at most M0 + 2 T roundings; the denominator is at least
 * 1, since the weight of the maximum is.
 */
export function orderErrorBound({ format, m0, scores, values }: RowData): number {
  const u = accumulatorUnit(numberTypes[format.accumulator]);
  const g = underflow(numberTypes[format.accumulator]);
  const tiles = Math.ceil(scores.length / m0) + 1;
  const relative = gamma(m0 + 2 * tiles, u);
  const lost = tiles * (m0 + 2) * (g + smallestResult);
  if (relative + lost >= 1) return Number.POSITIVE_INFINITY;
  const value = Math.max(...values.map(Math.abs));
  const moved = (2 * relative * value + lost * (1 + value)) / (1 - relative - lost);
  return 2 * (moved + (value + moved) * u + g + smallestResult);
}
