import type { CheckResult } from "../../emulator/check.js";
import type { RunOptions } from "./options.js";

/** 1 when the largest error is above --max-error (or is no number), else 0. */
export function judge(
  { maxError }: Pick<RunOptions, "maxError">,
  error: CheckResult | null,
  note: (line: string) => void,
): number {
  if (maxError === undefined || error === null || error.maxAbs <= maxError) return 0;
  note(`the largest error, ${error.maxAbs.toExponential(3)}, is above --max-error ${maxError}`);
  return 1;
}

export function noteRowsWithoutKeys(rows: number, note: (line: string) => void): void {
  if (rows > 0)
    note(rows === 1 ? "1 query sees no key; its row is zeros" : `${rows} queries see no key; their rows are zeros`);
}
