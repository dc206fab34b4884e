import { z } from "zod";
import type { Formula } from "./expression.js";

/** A number or a formula (src/spec/expression.ts). */
export const formula: z.ZodType<Formula> = z.union([z.number(), z.string()], { error: "a number or a formula" });

export const formulas: z.ZodType<Readonly<Record<string, Formula>>> = z.record(z.string(), formula);

/**
 * For each correction (src/model/corrections.ts), fields of this spec and what they become: `path.to.field: formula`.
 */
export type Corrections = Readonly<Record<string, Readonly<Record<string, Formula | readonly string[]>>>>;

export const corrections: z.ZodType<Corrections> = z.record(
  z.string(),
  z.record(
    z.string(),
    z.union([z.number(), z.string(), z.array(z.string())], { error: "a formula or a list of names" }),
  ),
);

export const names: z.ZodType<readonly string[]> = z.array(z.string());

/** A table of numbers written as text: a row a line, cells between spaces. */
export const numberTable: z.ZodType<readonly (readonly number[])[]> = z.string().transform((text, context) =>
  text
    .split("\n")
    .filter(line => line.trim() !== "")
    .map(line => {
      const cells = line.trim().split(/\s+/).map(Number);
      if (cells.some(Number.isNaN)) context.addIssue({ code: "custom", message: `numbers, not '${line.trim()}'` });
      return cells;
    }),
);
