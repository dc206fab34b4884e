import { NumericsError, UsageError } from "../errors.js";
import type { ArithmeticSpec, OperandSpec } from "../numerics/arithmetic.js";
import { dotOf, type Run } from "../numerics/dot.js";
import { exponentialOf } from "../numerics/exponential.js";
import { type FormatName, formatNames, formats } from "../numerics/format.js";
import { formatOf } from "../numerics/format-of.js";
import { boundInWords, largestExponent, largestOperand, largestResult } from "../numerics/limits.js";
import { type FloatSpec, numberTypes } from "../numerics/number-type.js";
import { onePassChoices } from "../numerics/one-pass-choices.js";
import { exponentFactor, type ProcessingElement, processingElement } from "../numerics/pe.js";
import {
  accumulatorRounder,
  flushCorrection,
  flushTiny,
  operandFromFloat64,
  roundToOperand,
} from "../numerics/rounding.js";
import type { Cascade } from "./cascade.js";
import type { Annotation, BinaryOperator, ReductionOperator, UnaryFunction } from "./einsum.js";
import { OperandTypes } from "./operand-types.js";
import { ScaledOperands } from "./scaled-operands.js";

export type Unary = (x: number) => number;
export type Binary = (a: number, b: number) => number;

/** float64, or that of the PEs in a format. */
export const arithmeticNames = ["float64", ...formatNames] as const;
export type ArithmeticName = (typeof arithmeticNames)[number];
/** One of these, or any arithmetic. */
export type ArithmeticChoice = ArithmeticName | ArithmeticSpec;

/**
 * The operations with which a cascade is interpreted. Every value is a float64, in PE arithmetic one that is exactly a
 * value of the format.
 */
export interface Arithmetic {
  readonly name: string;
  /** Whether values are float64s as they come. */
  readonly isFloat64: boolean;
  /** What a value of an input becomes before it is read; null for one that is none. */
  input(x: number, tensor: string): number | null;
  largestInput(tensor: string): number;
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
  /** How products are summed that `mac` does not sum, one after the other; null where it does all. */
  readonly products: ProductSums | null;
  /** Inputs that have scales; null where none has. */
  readonly scaled: ScaledOperands | null;
  /** exp(scale * x). */
  exp(scale: number): Unary;
  /** What an Einsum's annotation rounds its value to. */
  annotation(annotation: Annotation): Unary;
  /** The largest magnitude of a value, above which, or for no number at all, it is a numerics error; null: no limit. */
  readonly largest: number | null;
}

/** Sums of products by the tensors that their factors are read from; null for a factor that is computed. */
export interface ProductSums {
  /** What a computed factor becomes beside another one. */
  operand(beside: string | null): Unary;
  /** The sum of runs of terms in their order, with their scales; steps end where a run ends. */
  sum(a: string | null, b: string | null): (runs: readonly Run[]) => number;
}

/** A value that left the range of an arithmetic; who knows where it was computed says so in a NumericsError. */
export class OutOfRange extends Error {
  constructor(
    readonly got: string,
    readonly expected: string,
    readonly fix?: string,
  ) {
    super(got);
  }

  at(where: string): NumericsError {
    const { got, expected, fix } = this;
    return new NumericsError({ where, got, expected, ...(fix === undefined ? {} : { fix }) });
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
  isFloat64: true,
  input: identity,
  largestInput: () => Number.POSITIVE_INFINITY,
  constant: identity,
  unary: floatUnary,
  binary: op => floatBinary[op],
  reduce: op => floatBinary[op],
  operand: identity,
  result: identity,
  mac: (s, a, b) => s + a * b,
  products: null,
  scaled: null,
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
  const largestInput = largestOperand(numberTypes[format.operand]);
  return {
    ...onPe(processingElement(format)),
    name: formatName,
    input: x => withinOrNull(operandFromFloat64(x, format.operand), largestInput),
    largestInput: () => largestInput,
  };
}

const withinOrNull = (x: number, largest: number): number | null => (x <= largest && x >= -largest ? x : null);

/**
 * The same in an arithmetic of several types, whose sums of products may be a tensor core's and whose exponential has
 * other coefficients (docs/arithmetic.md). What it chooses for one-pass attention alone has no meaning here.
 */
function specArithmetic(spec: ArithmeticSpec, cascade: Cascade): Arithmetic {
  const scaled = ScaledOperands.of(cascade, spec);
  const types = new OperandTypes(cascade, spec);
  const { accumulator, operands, name } = spec;
  const e2 = exponentialOf(spec);
  const pe: ProcessingElement = {
    ...processingElement({ name: "fp32", operand: "fp32", accumulator }),
    operand: x => roundToOperand(x, operands.p.type),
    exp: (x, c) => e2(Math.fround(x * c)),
  };
  const typeOf = (tensor: string): FloatSpec => (types.of(tensor) ?? operands.p).type;
  const largestInput = (tensor: string): number => largestOperand(typeOf(tensor));
  return {
    ...onPe(pe),
    name,
    input: (x, tensor) =>
      Number.isFinite(x) ? withinOrNull(roundToOperand(x, typeOf(tensor)), largestInput(tensor)) : null,
    largestInput,
    scaled,
    products: {
      operand: beside => {
        const { type } = types.computed(beside);
        return x => roundToOperand(x, type);
      },
      sum: (a, b) => {
        const factor = (own: string | null, other: string | null): OperandSpec =>
          (own === null ? undefined : types.of(own)) ?? types.computed(other);
        // Steps are those of the array that inputs pass; what is computed alone is summed one by one.
        const passes = [a, b].some(tensor => tensor !== null && types.of(tensor) !== undefined);
        const dot = dotOf(passes ? spec : { ...spec, dot: "chain" }, factor(a, b), factor(b, a));
        if (scaled === null || !scaled.isScore(a, b) || !scaled.isScoreScaledAfterwards) return runs => dot(0, runs);
        return runs => {
          const { scaleA = 1, scaleB = 1 } = runs[0] ?? {};
          const sum = dot(
            0,
            runs.map(({ terms }) => ({ terms, scaleA: 1, scaleB: 1 })),
          );
          return scaled.times(sum, Math.fround(scaleA * scaleB));
        };
      },
    },
  };
}

function onPe(pe: ProcessingElement): Omit<Arithmetic, "name" | "input" | "largestInput"> {
  const { accumulator } = pe.format;
  const round = accumulatorRounder(accumulator);
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
  const largest = Math.min(largestResult, numberTypes[accumulator].largest);
  const binary = checkedBinary(pe, largest);
  return {
    isFloat64: false,
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
    products: null,
    scaled: null,
    exp: scale => exponential(pe, scale),
    annotation: annotation => rounding[annotation],
    largest,
  };
}

/** @throws UsageError for what an arithmetic chooses that has no meaning in a cascade, or does not say of its inputs */
export function arithmeticOf(choice: ArithmeticChoice, cascade: Cascade): Arithmetic {
  if (choice === "float64") return float64;
  if (typeof choice === "string") return peArithmetic(choice);
  const format = formatOf(choice);
  if (format !== null) return { ...peArithmetic(format.name), name: choice.name };
  const [other] = onePassChoices(choice);
  if (other !== undefined) {
    throw new UsageError({
      where: `arithmetic ${choice.name}`,
      got: `${other.field}: ${other.got} for ${cascade.name}`,
      expected: other.expected,
      fix: "it is a choice of FuseMax's attention as a whole, which fusemax run and evaluate compute",
    });
  }
  return specArithmetic(choice, cascade);
}

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
