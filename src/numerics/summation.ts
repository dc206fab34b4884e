import { type ArithmeticSpec, type BlockDot, type OperandSpec, scaleBlock } from "./arithmetic.js";
import type { FloatType } from "./format.js";
import type { FloatSpec } from "./number-type.js";

/** How the terms of a sum of products come together (docs/arithmetic.md, "Sums of products"). */
export type Summation =
  /** s = rA(s + RNE32(a * b)), one term after the other. */
  | { readonly kind: "chain" }
  /**
   * In each block of `width` u = RNE32(u + RNE32(a * b)) from +0; then s = RNE32(s + u * scaleA * scaleB), exactly scaled
   * where `exact` (powers of two), else RNE32(s + RNE32(u * RNE32(scaleA * scaleB))).
   */
  | { readonly kind: "blocks"; readonly width: number; readonly exact: boolean }
  /** Steps of a tensor core (block-sum.ts); none reaches past a block of `width` with scales of powers of two. */
  | { readonly kind: "steps"; readonly dot: BlockDot; readonly width: number | null };

/** A sum of products of two operands. */
export interface ProductSum {
  readonly types: readonly [FloatSpec, FloatSpec];
  readonly sum: Summation;
  readonly accumulator: FloatType;
  /** Whether every product is an fp32 value, so that a multiplication and an addition may be one operation. */
  readonly exact: boolean;
}

export function productSumOf({ dot, accumulator }: ArithmeticSpec, a: OperandSpec, b: OperandSpec): ProductSum {
  const width = scaleBlock(a.scale);
  const sum: Summation =
    dot !== "chain"
      ? { kind: "steps", dot, width }
      : width === null
        ? { kind: "chain" }
        : { kind: "blocks", width, exact: a.scale === "mx" };
  return { types: [a.type, b.type], sum, accumulator, exact: isExact(a.type, b.type) };
}

/** Operands are zero or at least 2^-50 and the step of their type, and at most 2^50, so that exponents do not matter. */
const isExact = (a: FloatSpec, b: FloatSpec): boolean => a.significandBits + b.significandBits <= 24;
