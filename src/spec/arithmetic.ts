import { z } from "zod/mini";
import type { ArithmeticSpec } from "../numerics/arithmetic.js";
import { numberTypes } from "../numerics/number-type.js";
import { combinations } from "./arithmetic-combinations.js";
import { arithmeticFields, type WrittenArithmetic } from "./arithmetic-fields.js";

/** An arithmetic's file (docs/arithmetic.md): types by name, and only combinations that have a meaning. */
export const arithmeticSchema: z.ZodMiniType<ArithmeticSpec> = z.pipe(
  arithmeticFields.check(
    ...combinations.map(({ path, holds, expected, fix }) =>
      z.refine<WrittenArithmetic>(holds, { path: [...path], error: expected, params: { fix } }),
    ),
  ),
  z.transform(({ operands, output, ...rest }: WrittenArithmetic): ArithmeticSpec => {
    const resolved = ({ type, scale }: WrittenArithmetic["operands"]["q"]) => ({ type: numberTypes[type], scale });
    return {
      ...rest,
      ...(output === undefined ? {} : { output: numberTypes[output] }),
      operands: {
        q: resolved(operands.q),
        k: resolved(operands.k),
        v: resolved(operands.v),
        p: resolved(operands.p),
      },
      output: numberTypes[output],
    };
  }),
);
