import { NumericsError } from "../errors.js";
import { type FormatName, formatNames, formats } from "../numerics/format.js";
import { boundInWords, largestExponent, largestOperand, largestResult } from "../numerics/limits.js";
import { numberTypes } from "../numerics/number-type.js";
import { exponentFactor, type ProcessingElement, processingElement } from "../numerics/pe.js";
import { accumulatorRounder, flushCorrection, flushTiny, operandFromFloat64 } from "../numerics/rounding.js";
import type { Annotation, BinaryOperator, ReductionOperator, UnaryFunction } from "./einsum.js";

export type Unary = (x: number) => number;
export type Binary = (a: number, b: number) => number;

/** float64, or that of the PEs in a format. */
export const arithmeticNames = ["float64", ...formatNames] as const;
export type ArithmeticName = (typeof arithmeticNames)[number];

/**
 * The operations with which a cascade is interpreted. Every value is a float64, in PE arithmetic one that is exactly a
 * value of the format.
 */
export interface Arithmetic {
  readonly name: ArithmeticName;
  /** What an input becomes before it is read; null for a value that is none. */
  input(x: number): number | null;
  readonly largestInput: number;
  /** A number that the text or a rank's size gives. */
  readonly constant: Unary;
  /** The functions that there are; a cascade with another one is refused before it runs. */
  readonly unary: Readonly<Partial<Record<UnaryFunction, Unary>>>;
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
  /** The largest magnitude of a value, above which, or for no number at all, it is a numerics error; null: no limit. */
  readonly largest: number | null;
}

/** A value that left the range of an arithmetic; who knows where it was computed says so in a NumericsError. */
export class OutOfRange extends Error {
  constructor(
    readonly got: string,
    readonly expected: string,
    readonly mend?: string,
  ) {
    super(got);
  }

  at(where: string): NumericsError {
    const { got, expected, mend } = this;
    return new NumericsError({ where, got, expected, ...(mend === undefined ? {} : { mend }) });
  }
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
  largestInput: Number.POSITIVE_INFINITY,
  constant: identity,
  unary: floatUnary,
  binary: op => floatBinary[op],
  reduce: op => floatBinary[op],
  operand: identity,
  result: identity,
  mac: (s, a, b) => s + a * b,
  exp: scale => (scale === 1 ? Math.exp : x => Math.exp(scale * x)),
  annotation: () => identity,
  largest: null,
};

/**
 * The arithmetic of the PEs in a format (docs/numerics.md): each operation rounds to the accumulator, a sum of products
 * multiplies operands and accumulates, exp is E2. Only what a PE can do is there: no log, square root, sigmoid or tanh.
 *
 * Products and quotients below 2^-100 are +0. So every value is a multiple of 2^-123, and no sum can be subnormal. What
 * is above 2^100 throws OutOfRange; minus infinity is what a maximum starts from: exp makes 0 of it, and no other
 * operation takes it but a difference that exp reads.
 */
export function peArithmetic(formatName: FormatName): Arithmetic {
  const format = formats[formatName];
  const pe = processingElement(format);
  const round = accumulatorRounder(format.accumulator);
  const rounding: Readonly<Record<Annotation, Unary>> = {
    operand: pe.operand,
    accumulator: x => flushTiny(round(x)),
    factor: x => flushCorrection(round(x)),
  };
  const reductions: Readonly<Record<ReductionOperator, Binary>> = {
    "+": pe.add,
    "*": pe.mul,
    max: pe.max,
    min: Math.min,
  };
  const largestInput = largestOperand(numberTypes[format.operand]);
  const largest = Math.min(largestResult, numberTypes[format.accumulator].largest);
  const binary = checkedBinary(pe, largest);
  return {
    name: formatName,
    input: x => {
      const y = operandFromFloat64(x, format.operand);
      return y <= largestInput && y >= -largestInput ? y : null;
    },
    largestInput,
    constant: round,
    unary: {
      exp: identity, // by its scale, below
      abs: x => Math.abs(inRange(x, largest)),
      // + 0 because accumulators hold no -0.
      neg: x => -inRange(x, largest) + 0,
      relu: x => pe.max(x, 0),
      square: x => binary["*"](x, x),
      recip: x => binary["/"](1, x),
    },
    binary: op => binary[op],
    reduce: op => reductions[op],
    operand: pe.operand,
    result: round,
    mac: pe.mac,
    exp: scale => exponential(pe, scale),
    annotation: annotation => rounding[annotation],
    largest,
  };
}

export const arithmeticOf = (name: ArithmeticName): Arithmetic => (name === "float64" ? float64 : peArithmetic(name));

/** The value, if it is of magnitude at most `largest`. @throws OutOfRange */
export function inRange(x: number, largest: number): number {
  if (x <= largest && x >= -largest) return x;
  throw new OutOfRange(String(x), `magnitudes up to ${boundInWords(largest)}`);
}

function checkedBinary(pe: ProcessingElement, largest: number): Readonly<Record<BinaryOperator, Binary>> {
  const checked = (x: number): number => inRange(x, largest);
  return {
    "+": (a, b) => checked(pe.add(a, b)),
    // Minus infinity less a value stays minus infinity, for exp to make 0 of it.
    "-": (a, b) => (a === Number.NEGATIVE_INFINITY && Number.isFinite(b) ? a : checked(pe.subtract(a, b))),
    "*": (a, b) => checked(pe.mul(checked(a), checked(b))),
    "/": (a, b) => checked(pe.div(checked(a), checked(b))),
    max: pe.max,
    min: (a, b) => Math.min(checked(a), checked(b)),
  };
}

function exponential(pe: ProcessingElement, scale: number): Unary {
  const c = exponentFactor(scale);
  return x => {
    const y = pe.exp(x, c);
    if (y <= largestResult) return y;
    throw new OutOfRange(
      `exp(${x})${scale === 1 ? "" : ` of scale ${scale}`}, 2^${Math.fround(x * c)}`,
      `powers of 2 up to 2^${largestExponent}`,
      "subtract a maximum from the exponents first",
    );
  };
}
