import { UsageError } from "../errors.js";
import { type FormatName, formats } from "../numerics/format.js";
import { exponentFactor, processingElement } from "../numerics/pe.js";
import { accumulatorRounder, flushCorrection, flushTiny, operandFromFloat64 } from "../numerics/rounding.js";
import type { Annotation, BinaryOperator, ReductionOperator, UnaryFunction } from "./einsum.js";

export type Unary = (x: number) => number;
export type Binary = (a: number, b: number) => number;

/**
 * The operations with which a cascade is interpreted. Every value is a float64, in PE arithmetic one that is exactly a
 * value of the format.
 */
export interface Arithmetic {
  readonly name: "float64" | FormatName;
  /** What an input becomes before it is read. */
  readonly input: Unary;
  /** A number that the text or a rank's size gives. */
  readonly constant: Unary;
  unary(fn: UnaryFunction): Unary;
  binary(op: BinaryOperator): Binary;
  reduce(op: ReductionOperator): Binary;
  /** What a factor of a product that is summed becomes before it enters a multiplier. */
  readonly operand: Unary;
  /** What an Einsum's value becomes where nothing is annotated. */
  readonly result: Unary;
  /** s + a * b, where the product is summed. */
  readonly mac: (s: number, a: number, b: number) => number;
  /** exp(scale * x). */
  exp(scale: number): Unary;
  /** What an Einsum's annotation rounds its value to. */
  annotation(annotation: Annotation): Unary;
}

export const reductionStart: Readonly<Record<ReductionOperator, number>> = {
  "+": 0,
  "*": 1,
  max: Number.NEGATIVE_INFINITY,
  min: Number.POSITIVE_INFINITY,
};

const identity: Unary = x => x;

const floatUnary: Readonly<Record<UnaryFunction, Unary>> = {
  exp: Math.exp,
  log: Math.log,
  sqrt: Math.sqrt,
  rsqrt: x => 1 / Math.sqrt(x),
  abs: Math.abs,
  neg: x => -x,
  sigmoid: x => (x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x))),
  tanh: Math.tanh,
  relu: x => Math.max(0, x),
  square: x => x * x,
  recip: x => 1 / x,
};

const floatBinary: Readonly<Record<BinaryOperator, Binary>> = {
  "+": (a, b) => a + b,
  "-": (a, b) => a - b,
  "*": (a, b) => a * b,
  "/": (a, b) => a / b,
  max: Math.max,
  min: Math.min,
};

export const float64: Arithmetic = {
  name: "float64",
  input: identity,
  constant: identity,
  unary: fn => floatUnary[fn],
  binary: op => floatBinary[op],
  reduce: op => floatBinary[op],
  operand: identity,
  result: identity,
  mac: (s, a, b) => s + a * b,
  exp: scale => (scale === 1 ? Math.exp : x => Math.exp(scale * x)),
  annotation: () => identity,
};

/**
 * The arithmetic of the PEs in a format (docs/numerics.md): each operation rounds to the accumulator, a sum of products
 * multiplies operands and accumulates, exp is E2. Only what a PE can do is there: no log, square root, sigmoid or tanh.
 */
export function peArithmetic(formatName: FormatName): Arithmetic {
  const format = formats[formatName];
  const pe = processingElement(format);
  const round = accumulatorRounder(format.accumulator);
  const unary: Partial<Record<UnaryFunction, Unary>> = {
    abs: Math.abs,
    // + 0 because accumulators hold no -0.
    neg: x => -x + 0,
    relu: x => pe.max(x, 0),
    square: x => pe.mul(x, x),
    recip: x => pe.div(1, x),
  };
  const binary: Readonly<Record<BinaryOperator, Binary>> = {
    "+": pe.add,
    "-": pe.subtract,
    "*": pe.mul,
    "/": pe.div,
    max: pe.max,
    min: Math.min,
  };
  const rounding: Readonly<Record<Annotation, Unary>> = {
    operand: pe.operand,
    accumulator: x => flushTiny(round(x)),
    factor: x => flushCorrection(round(x)),
  };
  return {
    name: formatName,
    input: x => (Number.isFinite(x) ? operandFromFloat64(x, format.operand) : x),
    constant: round,
    unary: fn => {
      const known = unary[fn];
      if (known === undefined) throw noSuchOperation(fn, formatName);
      return known;
    },
    binary: op => binary[op],
    reduce: op => binary[op],
    operand: pe.operand,
    result: round,
    mac: pe.mac,
    exp: scale => {
      const c = exponentFactor(scale);
      return x => pe.exp(x, c);
    },
    annotation: annotation => rounding[annotation],
  };
}

function noSuchOperation(fn: UnaryFunction, format: FormatName): UsageError {
  return new UsageError({
    where: `${fn} in ${format} arithmetic`,
    got: `a function that the PEs do not have`,
    expected: "exp, abs, neg, relu, square or recip",
    mend: "interpret this cascade in float64",
  });
}
