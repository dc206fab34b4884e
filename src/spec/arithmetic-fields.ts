import { z } from "zod/mini";
import { largestAlign, largestBlock } from "../numerics/block-sum.js";
import { numberTypeNames } from "../numerics/number-type.js";
import { exp2CoefficientBits } from "../numerics/pe.js";
import { fromBits } from "../numerics/rounding.js";
import { described } from "./fields.js";

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
    z.strictObject({ rows: described("Tokens that share a scale.", z.int().check(z.positive(), z.maximum(2 ** 30))) }),
  ],
  { error: "none, tensor, head, mx, nvfp4 or { rows: tokens }" },
);

const operandFields = z.strictObject({
  type: described("Its number type.", z.enum(numberTypeNames)),
  scale: described(
    "What shares a scale: none, tensor, head, mx, nvfp4 or { rows: tokens }.",
    z._default(scale, "none"),
  ),
});

const blockDot = z.strictObject({
  block: described("Products that are summed at once.", z.int().check(z.positive(), z.maximum(largestBlock))),
  align: described("Bits to which they are aligned.", z.int().check(z.positive(), z.maximum(largestAlign))),
  result: described("What a step is rounded to.", z.enum(["fp32-rz", "e8m13-rz"])),
});

/** The fields of an arithmetic's file, with their defaults: those of `bf16`. */
export const arithmeticFields = z.strictObject({
  name: described("Its name.", z.string()),
  source: described("Where it comes from.", z.string()),
  operands: described(
    "The types of queries, keys, values and numerators.",
    z.strictObject({
      q: described("Queries.", operandFields),
      k: described("Keys.", operandFields),
      v: described("Values.", operandFields),
      p: described("Numerators of the softmax.", operandFields),
    }),
  ),
  accumulator: described("What sums and results are kept in.", z._default(z.enum(["fp32", "bf16", "fp16"]), "fp32")),
  smooth: described("Whether the keys' mean is taken off them.", z._default(z.enum(["none", "keys"]), "none")),
  dot: described(
    "How products are summed: in a chain, or in blocks as a tensor core does.",
    z._default(z.union([z.literal("chain"), blockDot], { error: "chain or { block, align, result }" }), "chain"),
  ),
  exponent: described(
    "Whether score and maximum are subtracted first or within the scaling.",
    z._default(z.enum(["difference", "fused"]), "difference"),
  ),
  exp: described(
    "The polynomial of 2^x on the fraction.",
    z._default(
      z.strictObject({
        coefficients: described(
          "The fp32 bits of its coefficients, the constant first.",
          z._default(z.array(coefficient).check(z.minLength(1), z.maxLength(16)), [...exp2CoefficientBits]),
        ),
        fused: described("Whether its steps round once.", z._default(z.boolean(), false)),
      }),
      { coefficients: [...exp2CoefficientBits], fused: false },
    ),
  ),
  offset: described("What is added to each exponent, in powers of two.", z._default(rounded(-16, 16), 0)),
  threshold: described(
    "How far a maximum must rise before sums are corrected, in powers of two.",
    z._default(rounded(0, 16), 0),
  ),
  denominator: described(
    "Whether the denominator sums numerators before or after they are rounded.",
    z._default(z.enum(["rounded", "unrounded"]), "rounded"),
  ),
  sums: described(
    "Whether a tile's products are summed first, or onto the running sum.",
    z._default(z.enum(["tile", "running"]), "tile"),
  ),
  keys: described("The order in which keys are read.", z._default(z.enum(["ascending", "descending"]), "ascending")),
  normalize: described(
    "Whether the output is divided, or multiplied by a reciprocal.",
    z._default(z.enum(["divide", "reciprocal"]), "divide"),
  ),
  output: described("What AV leaves in, for its bytes.", z._default(z.enum(numberTypeNames), "bf16")),
});
export type WrittenArithmetic = z.infer<typeof arithmeticFields>;
