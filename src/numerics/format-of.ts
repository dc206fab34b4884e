import { InputError } from "../errors.js";
import { type ArithmeticSpec, choices, defaultChoices, type OperandSpec } from "./arithmetic.js";
import { type Format, type FormatName, formatNames, formats } from "./format.js";
import { numberTypes } from "./number-type.js";
import { exp2CoefficientBits } from "./pe.js";

/**
 * The number format that an arithmetic is, whatever it is called: the one type for all operands, no scales, and every
 * other choice that of the formats; null for any other arithmetic.
 */
export function formatOf(arithmetic: ArithmeticSpec): Format | null {
  const { operands, accumulator, exp } = arithmetic;
  const { q, k, v, p } = operands;
  const plain = [q, k, v, p].every(({ type, scale }) => type.name === q.type.name && scale === "none");
  const e2 = !exp.fused && String(exp.coefficients) === String(exp2CoefficientBits);
  if (!plain || !e2 || choices.some(field => arithmetic[field] !== defaultChoices[field])) return null;
  const name = formatNames.find(
    known => formats[known].operand === q.type.name && formats[known].accumulator === accumulator,
  );
  return name === undefined ? null : formats[name];
}

/** The number format of an arithmetic, for what knows no others. @throws InputError that names `where` */
export function requireFormat(arithmetic: ArithmeticSpec, where: string): Format {
  const format = formatOf(arithmetic);
  if (format !== null) return format;
  throw new InputError({
    where,
    got: `arithmetic ${arithmetic.name}`,
    expected: `that of a number format: ${formatNames.join(", ")}`,
  });
}

function arithmeticOf({ name, operand, accumulator }: Format): ArithmeticSpec {
  const one: OperandSpec = { type: numberTypes[operand], scale: "none" };
  return {
    name,
    source: "docs/numerics.md",
    operands: { q: one, k: one, v: one, p: one },
    accumulator,
    ...defaultChoices,
    exp: { coefficients: exp2CoefficientBits, fused: false },
    output: numberTypes.bf16,
  };
}

/**
 * The five number formats as arithmetics.
 * @example
 * ```ts
 * import { formatArithmetics } from "fusemax";
 *
 * console.log(formatArithmetics["fp16-strict"].accumulator); // fp16
 * ```
 */
export const formatArithmetics = Object.fromEntries(
  formatNames.map(name => [name, arithmeticOf(formats[name])]),
) as Readonly<Record<FormatName, ArithmeticSpec>>;
