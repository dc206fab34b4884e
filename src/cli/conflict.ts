import { UsageError } from "../errors.js";

/** An option that cannot be given with another. `fix`: what to do instead. */
export const conflict = (option: string, other: string, fix?: string): UsageError =>
  new UsageError({
    ...{ where: option, got: other, expected: "one of the two", problem: `cannot be given with ${other}` },
    ...(fix === undefined ? {} : { fix }),
  });

/** An option that means something only with another thing: `what`. */
export const needs = (option: string, what: string): UsageError =>
  new UsageError({ where: option, got: "it alone", expected: what, problem: `needs ${what}` });
