import type { FloatSpec } from "./number-type.js";

/**
 * The scales of an operand (docs/arithmetic.md, "Scales"): none; one a tensor, one a (batch, kv head), one for `rows`
 * consecutive tokens of a head; powers of two for blocks of 32 (`mx`); fp8-e4m3 for blocks of 16 on top of one per head
 * (`nvfp4`). Blocks lie along the rank that is summed over.
 */
export type Scale = "none" | "tensor" | "head" | "mx" | "nvfp4" | { readonly rows: number };

export interface OperandSpec {
  readonly type: FloatSpec;
  readonly scale: Scale;
}

/** Sums of products: a chain of multiply-accumulates, or the steps of a tensor core. */
export type Dot = "chain" | BlockDot;

export interface BlockDot {
  /** Consecutive positions per step. */
  readonly block: number;
  /** Bits below the largest exponent of a step that its terms keep. */
  readonly align: number;
  /** What a step's sum is cut to, toward zero: fp32, or fp32 with 13 fraction bits. */
  readonly result: "fp32-rz" | "e8m13-rz";
}

/** Every choice of the arithmetic that attention is computed in (docs/arithmetic.md). */
export interface ArithmeticSpec {
  readonly name: string;
  readonly source: string;
  /** `p`: the softmax numerators, SLN. */
  readonly operands: Readonly<Record<"q" | "k" | "v" | "p", OperandSpec>>;
  readonly accumulator: "fp32" | "bf16" | "fp16";
  /** Whether each feature of K loses its mean over the keys first. */
  readonly smooth: "none" | "keys";
  readonly dot: Dot;
  readonly exponent: "difference" | "fused";
  /** The polynomial of 2^f on [0, 1): fp32 bits, c0 first; `fused`: each step is rounded once. */
  readonly exp: { readonly coefficients: readonly number[]; readonly fused: boolean };
  /** What is added to the exponent of numerators, in log2; an fp32 value. */
  readonly offset: number;
  /** By how much, in log2, scores may pass the maximum before it follows; an fp32 value. */
  readonly threshold: number;
  readonly denominator: "rounded" | "unrounded";
  readonly sums: "tile" | "running";
  /** The order of the keys inside a tile's sums. */
  readonly keys: "ascending" | "descending";
  readonly normalize: "divide" | "reciprocal";
  /** What AV leaves in, for its bytes; its values stay those of the accumulator. */
  readonly output: FloatSpec;
}

/** What fields are where a file leaves them out: the choices of the number formats (docs/numerics.md). */
export const defaultChoices = {
  smooth: "none",
  dot: "chain",
  exponent: "difference",
  offset: 0,
  threshold: 0,
  denominator: "rounded",
  sums: "tile",
  keys: "ascending",
  normalize: "divide",
} as const satisfies Partial<ArithmeticSpec>;
export type Choice = keyof typeof defaultChoices;

export const choices = Object.keys(defaultChoices) as readonly Choice[];

/** Keys or features of a block that shares a scale; null for scales that are constant along the sum. */
export const scaleBlock = (scale: Scale): number | null => (scale === "mx" ? 32 : scale === "nvfp4" ? 16 : null);

/** Whether a product's sum is multiplied by an operand's scale once it is done. */
export const isScaledAfterwards = ({ scale }: OperandSpec): boolean => scale !== "none" && scaleBlock(scale) === null;
