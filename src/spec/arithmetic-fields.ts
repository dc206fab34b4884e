import { z } from "zod/mini";
import { largestAlign, largestBlock } from "../numerics/block-sum.js";
import { numberTypeNames } from "../numerics/number-type.js";
import { exp2CoefficientBits } from "../numerics/pe.js";
import { fromBits } from "../numerics/rounding.js";

const bitsInWords = { error: "fp32 bits, as 0x3f800000" };

/** fp32 bits: a whole number, or its hexadecimal text. */
const coefficient = z.pipe(
  z.union([z.int(), z.string().check(z.regex(/^0x[0-9a-f]{1,8}$/i, bitsInWords))], bitsInWords),
  z
    .pipe(
      z.transform((bits: number | string) => Number(bits)),
      z.number(),
    )
    .check(
      z.refine(bits => bits >= 0 && bits < 2 ** 32 && Number.isFinite(fromBits(bits)), {
        error: "the fp32 bits of a number, as 0x3f800000",
      }),
    ),
);

const rounded = (least: number, most: number) =>
  z.pipe(
    z.number().check(z.minimum(least), z.maximum(most)),
    z.transform((x: number) => Math.fround(x)),
  );

const scale = z.union(
  [
    z.enum(["none", "tensor", "head", "mx", "nvfp4"]),
    z.strictObject({ rows: z.int().check(z.positive(), z.maximum(2 ** 30)) }),
  ],
  { error: "none, tensor, head, mx, nvfp4 or { rows: tokens }" },
);

const operandFields = z.strictObject({ type: z.enum(numberTypeNames), scale: z._default(scale, "none") });

const blockDot = z.strictObject({
  block: z.int().check(z.positive(), z.maximum(largestBlock)),
  align: z.int().check(z.positive(), z.maximum(largestAlign)),
  result: z.enum(["fp32-rz", "e8m13-rz"]),
});

/** The fields of an arithmetic's file, with their defaults: those of `bf16`. */
export const arithmeticFields = z.strictObject({
  name: z.string(),
  source: z.string(),
  operands: z.strictObject({ q: operandFields, k: operandFields, v: operandFields, p: operandFields }),
  accumulator: z._default(z.enum(["fp32", "bf16", "fp16"]), "fp32"),
  smooth: z._default(z.enum(["none", "keys"]), "none"),
  dot: z._default(z.union([z.literal("chain"), blockDot], { error: "chain or { block, align, result }" }), "chain"),
  exponent: z._default(z.enum(["difference", "fused"]), "difference"),
  exp: z._default(
    z.strictObject({
      coefficients: z._default(z.array(coefficient).check(z.minLength(1), z.maxLength(16)), [...exp2CoefficientBits]),
      fused: z._default(z.boolean(), false),
    }),
    { coefficients: [...exp2CoefficientBits], fused: false },
  ),
  offset: z._default(rounded(-16, 16), 0),
  threshold: z._default(rounded(0, 16), 0),
  denominator: z._default(z.enum(["rounded", "unrounded"]), "rounded"),
  sums: z._default(z.enum(["tile", "running"]), "tile"),
  keys: z._default(z.enum(["ascending", "descending"]), "ascending"),
  normalize: z._default(z.enum(["divide", "reciprocal"]), "divide"),
});
export type WrittenArithmetic = z.infer<typeof arithmeticFields>;
