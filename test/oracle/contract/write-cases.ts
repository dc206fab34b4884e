import { maskOf } from "../../../src/attention/mask.js";
import { rowAt } from "../../../src/attention/rows.js";
import type { ArithmeticSpec, OperandSpec } from "../../../src/numerics/arithmetic.js";
import { bitsOf } from "../../../src/numerics/rounding.js";
import type { ArithmeticCase } from "../../arithmetic/random-case.js";

const double = new DataView(new ArrayBuffer(8));

/** A float64 as its bits in hexadecimal. */
function doubleBits(x: number): string {
  double.setFloat64(0, x);
  return double.getBigUint64(0).toString(16);
}

const floatBits = (x: number): string => bitsOf(x).toString(16);

function operandWords({ type, scale }: OperandSpec): string {
  return typeof scale === "string" ? `${type.name} ${scale} 0` : `${type.name} rows ${scale.rows}`;
}

function arithmeticWords(arithmetic: ArithmeticSpec): readonly string[] {
  const { operands, accumulator, smooth, dot, exponent, exp, offset, threshold } = arithmetic;
  const { denominator, sums, keys, normalize } = arithmetic;
  const steps = dot === "chain" ? { block: 0, align: 0, result: "chain" } : dot;
  return [
    ...(["q", "k", "v", "p"] as const).map(name => `${name} ${operandWords(operands[name])}`),
    `${accumulator} ${smooth} ${steps.block} ${steps.align} ${steps.result}`,
    `${exponent} ${exp.fused ? "fused" : "separate"} ${exp.coefficients.length}`,
    exp.coefficients.map(bits => bits.toString(16)).join(" "),
    `${floatBits(offset)} ${floatBits(threshold)} ${denominator} ${sums} ${keys} ${normalize}`,
  ];
}

/** What contract.c reads: numbers in decimal, fp32 and float64 values as bits in hexadecimal. */
function caseWords({ problem, inputs }: ArithmeticCase): readonly string[] {
  const { shape, mask, tile, kvSplits, scale } = problem;
  const { batch, heads, kvHeads, queries, keys, headDim, valueDim } = shape;
  const lengths = Array.from({ length: batch }, (_, b) => `${mask.qLens?.[b] ?? queries} ${mask.kvLens?.[b] ?? keys}`);
  const planes = mask.planes ?? [];
  // Bits of masks only: windows and lengths are the contract's to read.
  const plane = maskOf({ shape, mask: { left: -1, right: -1, kvLens: null, qLens: null, planes } });
  const bits = (): string[] =>
    Array.from({ length: batch * heads * queries }, (_, i) => {
      const [b, h, p] = [Math.floor(i / heads / queries), Math.floor(i / queries) % heads, i % queries];
      const row = rowAt(shape, { b, h, p });
      return Array.from({ length: keys }, (_, m) => (plane.sees(row, m) ? 1 : 0)).join(" ");
    });
  return [
    "case",
    ...arithmeticWords(problem.arithmetic),
    `shape ${batch} ${heads} ${kvHeads} ${queries} ${keys} ${headDim} ${valueDim}`,
    `${tile.m0} ${kvSplits} ${doubleBits(scale)} ${mask.left} ${mask.right}`,
    ...lengths,
    planes.length > 0 ? "1" : "0",
    ...(planes.length > 0 ? bits() : []),
    ...(["q", "k", "v"] as const).map(name => Array.from(inputs[name], doubleBits).join(" ")),
  ];
}

/** Standard input of contract.c. */
export const writeCases = (cases: readonly ArithmeticCase[]): string =>
  [String(cases.length), ...cases.flatMap(caseWords), ""].join("\n");
