import type { FloatSpec } from "../numerics/number-type.js";
import { bitsOf } from "../numerics/rounding.js";

/*
 * Rounding to a number type in WGSL, printed from its entry (src/numerics/number-type.ts) without a branch: what is in
 * a loop of products is copied hundreds of times, and a compiler takes minutes over branches there.
 */

/** An fp32 value by its bits, so that none is rounded on its way. */
export const wgslFloat = (value: number): string =>
  value === 0 ? "0.0" : `bitcast<f32>(0x${bitsOf(value).toString(16).padStart(8, "0")}u)`;

const hex = (word: number): string => `0x${(word >>> 0).toString(16)}u`;

/**
 * `fn NAME(x: f32) -> f32`: to nearest, ties to even (an integer type: away from zero), with gradual underflow; past the
 * largest value it gives that where the type saturates, else something above it. What rounds to zero is +0.
 */
export const wgslRounder = (name: string, type: FloatSpec): string =>
  `fn ${name}(x: f32) -> f32 {\n${type.integer ? whole : significands(type)}${clipped(type)}}\n`;

/** `fn NAME(x: f32) -> f32`: rO of a value that is 0 or more. */
export const wgslOperandRounder = (name: string, type: FloatSpec): string =>
  [
    `fn ${name}Type(x: f32) -> f32 {\n${type.integer ? whole : significands(type)}${clipped(type)}}\n`,
    `fn ${name}(x: f32) -> f32 {\n  let y = ${name}Type(x);\n  return select(y, 0.0, abs(y) < ${wgslFloat(type.flush)});\n}\n`,
  ].join("");

/** Two selections: clamp looks for NaNs, which no operand is. */
function clipped({ saturates, largest }: FloatSpec): string {
  if (!saturates) return "  return y;\n";
  const [least, most] = [wgslFloat(-largest), wgslFloat(largest)];
  return `  let z = select(y, ${most}, y > ${most});\n  return select(z, ${least}, y < ${least});\n`;
}

const whole = [
  "  let below = floor(abs(x));\n",
  "  let magnitude = below + select(0.0, 1.0, abs(x) - below >= 0.5);\n",
  "  let y = select(magnitude, 0.0 - magnitude, x < 0.0);\n",
].join("");

function significands({ significandBits, leastExponent, flush }: FloatSpec): string {
  if (significandBits === 24) return "  let y = x;\n";
  const last = 2 ** (24 - significandBits);
  const lines = [
    "  let u = bitcast<u32>(x);\n",
    `  let normal = bitcast<f32>((u + ${hex(last / 2 - 1)} + min(u & ${hex(last)}, 1u)) & ${hex(-last)});\n`,
  ];
  const leastNormal = 2 ** leastExponent;
  if (flush >= leastNormal) return [...lines, "  let y = normal;\n"].join("");
  // Below its least normal value a type counts in steps: the last bit of sums around this one. Pinned, or it would be folded away.
  const stepper = wgslFloat(1.5 * 2 ** (leastExponent - significandBits + 24));
  const subnormal = `  let subnormal = pin(x + ${stepper}) - ${stepper};\n`;
  return [...lines, subnormal, `  let y = select(normal, subnormal, abs(x) < ${wgslFloat(leastNormal)});\n`].join("");
}

/** Whether every product of two operands is an fp32 value. */
export const productIsExact = (a: FloatSpec, b: FloatSpec): boolean => a.significandBits + b.significandBits <= 24;
