import { ResultError } from "../errors.js";

// The last guard before a result is written: no NaN and no Infinity leaves in JSON (where it would be null), CSV or text.

/** The number, if it is one. Throws ResultError, at `where`. */
export function finite(value: number, where: string): number {
  if (Number.isFinite(value)) return value;
  throw new ResultError({
    where,
    got: String(value),
    expected: "a finite number",
    fix: "a setting or a size is out of the range of the numbers that are computed from it",
  });
}

/** The result, if all numbers anywhere in it are finite. Throws ResultError, at the path of the first that is not. */
export function checkResult<T>(result: T, where = ""): T {
  if (typeof result === "number") finite(result, where);
  else if (typeof result === "object" && result !== null) {
    for (const [key, value] of Object.entries(result)) checkResult(value, where === "" ? key : `${where}.${key}`);
  }
  return result;
}

/** The result as a line of JSON (or indented). Throws ResultError. */
export const jsonText = (result: unknown, indent?: number): string =>
  `${JSON.stringify(checkResult(result), null, indent)}\n`;
