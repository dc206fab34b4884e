import type { NumberType } from "./number-type.js";

/**
 * The number formats of the PEs (docs/numerics.md, "Formats"): what a multiplier reads and what a sum is kept in.
 * @example
 * ```ts
 * import { formatNames } from "fusemax";
 *
 * console.log(formatNames.join(", ")); // bf16, bf16-strict, fp16, fp16-strict, fp32
 * ```
 */
export const formatNames = ["bf16", "bf16-strict", "fp16", "fp16-strict", "fp32"] as const;
export type FormatName = (typeof formatNames)[number];

/** The types that an accumulator may have, and the operands of the formats. */
export const floatTypes = ["bf16", "fp16", "fp32"] as const satisfies readonly NumberType[];
export type FloatType = (typeof floatTypes)[number];

export interface Format {
  readonly name: FormatName;
  /** What Q, K, V and SLN are rounded to before they enter a multiplier. */
  readonly operand: FloatType;
  /** What sums, maxima and stored tensors are kept in. */
  readonly accumulator: FloatType;
}

/**
 * The five formats by name: the type of operands and that of accumulators.
 * @example
 * ```ts
 * import { formats } from "fusemax";
 *
 * console.log(formats.bf16.operand, formats.bf16.accumulator); // bf16 fp32
 * ```
 */
export const formats: Readonly<Record<FormatName, Format>> = {
  bf16: { name: "bf16", operand: "bf16", accumulator: "fp32" },
  "bf16-strict": { name: "bf16-strict", operand: "bf16", accumulator: "bf16" },
  fp16: { name: "fp16", operand: "fp16", accumulator: "fp32" },
  "fp16-strict": { name: "fp16-strict", operand: "fp16", accumulator: "fp16" },
  fp32: { name: "fp32", operand: "fp32", accumulator: "fp32" },
};
