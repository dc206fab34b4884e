/** The number formats of the PEs (docs/numerics.md, "Formats"): what a multiplier reads and what a sum is kept in. */
export const formatNames = ["bf16", "bf16-strict", "fp16", "fp16-strict", "fp32"] as const;
export type FormatName = (typeof formatNames)[number];

/** A binary floating-point encoding that an operand or an accumulator may have. */
export type FloatType = "bf16" | "fp16" | "fp32";

/** Bits of a value of each type where it is stored. */
export const storageBits: Readonly<Record<FloatType, number>> = { bf16: 16, fp16: 16, fp32: 32 };

export interface Format {
  readonly name: FormatName;
  /** What Q, K, V and SLN are rounded to before they enter a multiplier. */
  readonly operand: FloatType;
  /** What sums, maxima and stored tensors are kept in. */
  readonly accumulator: FloatType;
}

export const formats: Readonly<Record<FormatName, Format>> = {
  bf16: { name: "bf16", operand: "bf16", accumulator: "fp32" },
  "bf16-strict": { name: "bf16-strict", operand: "bf16", accumulator: "bf16" },
  fp16: { name: "fp16", operand: "fp16", accumulator: "fp32" },
  "fp16-strict": { name: "fp16-strict", operand: "fp16", accumulator: "fp16" },
  fp32: { name: "fp32", operand: "fp32", accumulator: "fp32" },
};
