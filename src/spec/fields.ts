import { z } from "zod/mini";
import type { Formula } from "./expression.js";

/**
 * A field and what it is, for docs/spec-reference.md and for editors (`fusemax schema`). The browser's bundle leaves the words
 * out (explorer/vite.config.ts): they are one literal, in double quotes.
 */
export const described = <T extends z.ZodMiniType>(description: string, schema: T): T =>
  schema.check(z.describe(description)) as T;

/** A number or a formula (src/spec/expression.ts). */
export const formula: z.ZodMiniType<Formula> = z.union([z.number(), z.string()], { error: "a number or a formula" });

/** A formula for what nothing could pass at 0: above 0 where it is a plain number. */
export const aboveZero: z.ZodMiniType<Formula> = formula.check(
  z.refine(value => typeof value !== "number" || value > 0, { error: "a number above 0" }),
);

export const formulas: z.ZodMiniType<Readonly<Record<string, Formula>>> = z.record(z.string(), formula);

/**
 * For each correction (src/model/corrections.ts), fields of this spec and what they become: `path.to.field: formula`, or
 * `{ from, to }` where one value of the field is at fault: a field that was edited to something else keeps it.
 */
export type Corrections = Readonly<
  Record<
    string,
    Readonly<Record<string, Formula | readonly string[] | { readonly from: Formula; readonly to: Formula }>>
  >
>;

const replacement = z.strictObject({
  from: described("The value at fault, as it is written: a field that has another keeps it.", formula),
  to: described("What the correction makes of it.", formula),
});

export const corrections: z.ZodMiniType<Corrections> = z.record(
  z.string(),
  z.record(
    z.string(),
    z.union([z.number(), z.string(), z.array(z.string()), replacement], {
      error: "a formula, a list of names or { from, to }",
    }),
  ),
);

export const names: z.ZodMiniType<readonly string[]> = z.array(z.string());

/** A table of numbers written as text: a row a line, cells between spaces. */
export const numberTable: z.ZodMiniType<readonly (readonly number[])[]> = z.pipe(
  z.string(),
  z.transform((text: string, context) =>
    text
      .split("\n")
      .filter(line => line.trim() !== "")
      .map(line => {
        const cells = line.trim().split(/\s+/).map(Number);
        if (cells.some(Number.isNaN)) {
          context.issues.push({ code: "custom", input: text, message: `numbers, not '${line.trim()}'` });
        }
        return cells;
      }),
  ),
);
