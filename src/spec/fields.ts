import { z } from "zod";
import type { Formula } from "./expression.js";

/** A number or a formula (src/spec/expression.ts). */
export const formula: z.ZodType<Formula> = z.union([z.number(), z.string()], { error: "a number or a formula" });

export const formulas: z.ZodType<Readonly<Record<string, Formula>>> = z.record(z.string(), formula);

/** For each correction (src/model/accounting.ts), fields of this spec and what they become: `path.to.field: formula`. */
export const corrections: z.ZodType<Readonly<Record<string, Readonly<Record<string, Formula>>>>> = z.record(
  z.string(),
  formulas,
);

export const names: z.ZodType<readonly string[]> = z.array(z.string());
