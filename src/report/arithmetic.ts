import { howMany } from "../errors.js";
import { type ArithmeticSpec, type OperandSpec, type Scale, scaleBlock } from "../numerics/arithmetic.js";

/** An arithmetic as its file has it, every field written out: a YAML file of this JSON is the same arithmetic. */
export function writtenArithmetic({ operands, exp, output, ...rest }: ArithmeticSpec) {
  const written = ({ type, scale }: OperandSpec) => ({ type: type.name, scale });
  const { q, k, v, p } = operands;
  return {
    ...rest,
    operands: { q: written(q), k: written(k), v: written(v), p: written(p) },
    exp: { ...exp, coefficients: exp.coefficients.map(bits => `0x${bits.toString(16).padStart(8, "0")}`) },
    output: output.name,
  };
}
export type WrittenArithmetic = ReturnType<typeof writtenArithmetic>;

const scaleInWords = (scale: Scale): string =>
  typeof scale === "object" ? `a scale for ${howMany(scale.rows, "row")}` : scale === "none" ? "" : `${scale} scales`;

/** The operands in a line: `q, k, v, p: fp8-e4m3`. */
export function operandsInWords({ operands }: ArithmeticSpec): string {
  const kinds = new Map<string, string[]>();
  for (const name of ["q", "k", "v", "p"] as const) {
    const { type, scale } = operands[name];
    const kind = [type.name, scaleInWords(scale)].filter(part => part !== "").join(", ");
    kinds.set(kind, [...(kinds.get(kind) ?? []), name]);
  }
  return [...kinds].map(([kind, names]) => `${names.join(", ")} in ${kind}`).join("; ");
}

/** The largest numerator that lazy rescaling leaves: 2^(threshold + offset). */
const largestNumerator = ({ threshold, offset }: ArithmeticSpec): number => 2 ** (threshold + offset);

/**
 * What there is to say of numerators that can pass the largest value of their type; null where none can. Blocks of scales
 * take the largest for themselves.
 */
export function numeratorNote(arithmetic: ArithmeticSpec): string | null {
  const { type, scale } = arithmetic.operands.p;
  const most = largestNumerator(arithmetic);
  if (scaleBlock(scale) !== null || most <= type.largest) return null;
  const power = `2^${Number((arithmetic.threshold + arithmetic.offset).toPrecision(6))}`;
  const then = type.saturates ? "may saturate" : "may leave the range";
  return `numerators ${then}: threshold + offset allow ${power}, the largest ${type.name} is ${type.largest}`;
}

/** How products are summed, in a few words. */
export function sumsInWords({ dot, accumulator }: ArithmeticSpec): string {
  if (dot === "chain") return `${accumulator}, one by one`;
  return `steps of ${dot.block}, ${dot.align} bits, ${dot.result}`;
}
