import type { BlockDot } from "./arithmetic.js";
import { exponentOf, type FloatSpec, numberTypes } from "./number-type.js";

/**
 * One step of a tensor core's sum (docs/arithmetic.md, "Sums of products"): the products and the sum so far are cut
 * toward zero at `align` bits below the largest exponent among them, added exactly, and the sum is cut toward zero.
 */
export interface BlockSum {
  /** Begins a step. `scale`: a power of two that belongs to each product, by its exponent. */
  start(sum: number, scale: number): void;
  /** Adds the product of a position; zeros may be left out. */
  product(a: number, b: number): void;
  /** The step's sum; an infinity past fp32's range. */
  end(): number;
}

/** The exponent of an operand that is not zero: subnormals keep the type's least one. */
const operandExponent = (x: number, type: FloatSpec): number => Math.max(exponentOf(x), type.leastExponent);

/** Largest `align`, and positions per step: the exact sum of 2^8 + 1 integers below 2^(40 + 2) is a float64. */
export const largestAlign = 40;
export const largestBlock = 256;

export function blockSum(dot: BlockDot, a: FloatSpec, b: FloatSpec): BlockSum {
  const values: number[] = [];
  const fractionBits = dot.result === "fp32-rz" ? 23 : 13;
  let largest = Number.NEGATIVE_INFINITY;
  let scaleExponent: number;
  const add = (value: number, exponent: number): void => {
    values.push(value);
    largest = Math.max(largest, exponent);
  };
  return {
    start: (sum, scale) => {
      values.length = 0;
      largest = Number.NEGATIVE_INFINITY;
      scaleExponent = scale;
      if (sum !== 0) add(sum, operandExponent(sum, numberTypes.fp32));
    },
    product: (x, y) => {
      if (x === 0 || y === 0) return;
      add(x * y * 2 ** scaleExponent, operandExponent(x, a) + operandExponent(y, b) + scaleExponent);
    },
    end: () => {
      const cut = largest - dot.align;
      let sum = 0;
      // In two factors: 2^-cut alone may be past the largest float64.
      for (const value of values) sum += Math.trunc(value * 2 ** -largest * 2 ** dot.align);
      return cutToFp32(sum, cut, fractionBits);
    },
  };
}

/** `sum` * 2^`exponent` cut toward zero to fp32 with `fractionBits`; never -0. */
function cutToFp32(sum: number, exponent: number, fractionBits: number): number {
  if (sum === 0) return 0;
  const leading = Math.max(exponentOf(sum) + exponent, numberTypes.fp32.leastExponent);
  const step = leading - fractionBits;
  const value = Math.trunc(sum * 2 ** (exponent - step)) * 2 ** step;
  return Math.abs(value) > numberTypes.fp32.largest ? value * Infinity : value + 0;
}
