import { type ArithmeticSpec, type BlockDot, type OperandSpec, scaleBlock } from "../../numerics/arithmetic.js";
import { largestResult, smallestCorrection, smallestExponent, smallestResult } from "../../numerics/limits.js";
import { type FloatSpec, numberTypes } from "../../numerics/number-type.js";
import { accumulatorRounder, fromBits } from "../../numerics/rounding.js";
import { productIsExact, wgslFloat, wgslOperandRounder, wgslRounder } from "../../program/wgsl-number-type.js";

/**
 * What shaders/shared takes from an arithmetic: the accumulator's operations, roundings, limits, how sums are cut, and the
 * polynomial of 2^f.
 */
export function arithmeticPrelude(arithmetic: ArithmeticSpec): string {
  const { operands } = arithmetic;
  const limits = { smallestExponent, smallestCorrection, smallestResult, largestResult };
  const bounds = Object.entries(operands).flatMap(([name, { type }]) => [
    // Of a type whose subnormals are flushed no exponent needs a bound.
    [`${name}LeastPower`, type.flush < 2 ** type.leastExponent ? 2 ** type.leastExponent : 0] as const,
    [`${name}Largest`, type.largest] as const,
  ]);
  return [
    ...[...Object.entries(limits), ...bounds].map(([name, value]) => `const ${name} = ${wgslFloat(value)};\n`),
    accumulatorText(arithmetic),
    wgslOperandRounder("roundP", operands.p.type),
    wgslRounder("roundScale", numberTypes["fp8-e4m3"]),
    dotText(arithmetic),
    polynomial(arithmetic),
  ].join("");
}

/**
 * rA, a chain's step rA(s + a * b), and whether a value is out of A's range. A product that is exact in fp32 may fuse with
 * the sum; any other is rounded before it. A value past the largest of a narrow type becomes 2^100 and stays there whatever is
 * added, so that one look at the end of a chain finds it.
 */
function accumulatorText({ accumulator, operands: { q, k, v, p } }: ArithmeticSpec): string {
  const type = numberTypes[accumulator];
  const overflows = type.largest < largestResult;
  const exact = productIsExact(q.type, k.type) && productIsExact(p.type, v.type);
  const isOut = overflows ? `abs(x) > ${wgslFloat(type.largest)}` : "false";
  const kept = overflows ? "select(y, largestResult, outside(y))" : "y";
  const isFp32 = accumulator === "fp32";
  const product = (a: string, b: string): string => (exact ? `${a} * ${b}` : `pin(${a} * ${b})`);
  const mac = (sum: string, a: string, b: string): string =>
    isFp32 ? `(${sum} + ${product(a, b)})` : `roundA(${sum} + ${product(a, b)})`;
  return [
    wgslRounder("roundToA", type),
    `fn outside(x: f32) -> bool {\n  return ${isOut};\n}\n`,
    isFp32
      ? "fn roundA(x: f32) -> f32 {\n  return x;\n}\n"
      : `fn roundA(x: f32) -> f32 {\n  let y = roundToA(x);\n  return ${kept};\n}\n`,
    `fn macOne(s: f32, a: f32, b: f32) -> f32 {\n  return ${mac("s", "a", "b")};\n}\n`,
    sumsOf("macFours", 4, mac),
    sumsOf("macSixteens", 16, mac),
  ].join("");
}

/**
 * A function of sums and their products: s[j] plus those of `a` and `b[j]`, four or sixteen, each sum whole before the next. It is
 * one expression, since SwiftShader takes time that grows with the square of the calls that it puts in their places.
 */
function sumsOf(name: string, count: 4 | 16, mac: (sum: string, a: string, b: string) => string): string {
  const isVector = count === 4;
  const places = Array.from({ length: count }, (_, i) => `${isVector ? "" : `[${i >> 2}]`}.${"xyzw"[i & 3]}`);
  const sums = [..."xyzw"].map((field, j) =>
    places.reduce((sum, place) => mac(sum, `a${place}`, `b[${j}]${place}`), `s.${field}`),
  );
  const [a, b] = isVector ? ["vec4f", "mat4x4f"] : ["mat4x4f", "array<mat4x4f, 4>"];
  return `fn ${name}(s: vec4f, a: ${a}, b: ${b}) -> vec4f {\n  return vec4f(${sums.join(", ")});\n}\n`;
}

/** How the kernels make a sum of products (shaders/shared/scores-*.wgsl, values-*.wgsl). */
export type ProductKind = "chain" | "blocks" | "steps" | "wide";

export function productKinds({ dot, operands: { q, k, v, p } }: ArithmeticSpec): {
  readonly scores: ProductKind;
  readonly values: ProductKind;
} {
  const kind = (a: OperandSpec, b: OperandSpec): ProductKind => {
    if (dot !== "chain") return stepsFitWords(dot, a.type, b.type) ? "steps" : "wide";
    return scaleBlock(b.scale) === null ? "chain" : "blocks";
  };
  return { scores: kind(q, k), values: kind(p, v) };
}

/** How sums are made; a block of 0 is none. */
function dotText(arithmetic: ArithmeticSpec): string {
  const { dot, operands } = arithmetic;
  const { align, block, result } = dot === "chain" ? { align: 0, block: 0, result: "fp32-rz" } : dot;
  const { scores, values } = productKinds(arithmetic);
  const [ofKeys, ofValues] = [operands.k, operands.v].map(({ scale }) => scaleBlock(scale));
  return [
    `const dotAlign = ${align}u;\nconst dotBlock = ${block}u;\n`,
    `const leastTop = ${wgslFloat(2 ** (align - 126))};\n`,
    `const dotResultMask = ${result === "fp32-rz" ? 0xffffffff : 0xfffffc00}u;\n`,
    `const keyStepsAreWide = ${scores === "wide"};\nconst valueStepsAreWide = ${values === "wide"};\n`,
    `const hasKeyBlocks = ${ofKeys !== null};\nconst hasValueBlocks = ${ofValues !== null};\n`,
    `const exactScales = ${[operands.k, operands.v].every(({ scale }) => scaleBlock(scale) === null || scale === "mx")};\n`,
    `const keyBlock = ${ofKeys ?? 1}u;\nconst valueBlock = ${ofValues ?? 1}u;\n`,
  ].join("");
}

/** Whether fp32 holds the sum of a step's integers, each below 2^(align + 2); else each of their halves. */
export const termsAreWhole = ({ dot }: ArithmeticSpec): boolean =>
  dot !== "chain" && (dot.block + 1) * 2 ** (dot.align + 2) <= 2 ** 24;

/**
 * Whether fp32 takes a step of a tensor core: products that are exact, cut to integers of which it holds the sums of the upper
 * parts, in steps of 2^12, and powers of two in its range.
 */
const stepsFitWords = ({ align, block }: BlockDot, a: FloatSpec, b: FloatSpec): boolean =>
  productIsExact(a, b) &&
  (block + 1) * 2 ** (align + 2 - 12) <= 2 ** 24 &&
  align - leastExponentOf(a) - leastExponentOf(b) <= 125;

/** The least exponent of an operand that is not flushed; subnormals keep the type's. */
const leastExponentOf = ({ leastExponent, flush }: FloatSpec): number => Math.max(leastExponent, Math.log2(flush));

/** p(f) by Horner's rule: the coefficients, rounded to A. */
function polynomial({ accumulator, exp }: ArithmeticSpec): string {
  const toA = accumulatorRounder(accumulator);
  const [last = "0.0", ...others] = exp.coefficients.map(bits => wgslFloat(toA(fromBits(bits)))).reverse();
  const step = (c: string): string =>
    exp.fused
      ? `fusedMultiplyAdd(p, f, ${c})`
      : accumulator === "fp32"
        ? `pin(p * f) + ${c}`
        : `roundToA(p * f + ${c})`;
  const steps = others.map(c => `  p = ${step(c)};\n`).join("");
  return `fn polynomial(f: f32) -> f32 {\n  var p = ${last};\n${steps}  return p;\n}\n`;
}
