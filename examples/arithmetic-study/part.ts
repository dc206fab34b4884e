import { loadArithmetic, specFiles } from "fusemax/node";
import type { ArithmeticSpec } from "#fusemax/numerics/arithmetic";
import type { Table } from "#fusemax/report/table";

/** What a part of the study found: all numbers, for CSV; a table for the page; figures by the ends of their names. */
export interface Part {
  readonly numbers: Table;
  readonly shown: Table;
  readonly figures: Readonly<Record<string, string>>;
}

/** How much is computed. */
export interface Plan {
  readonly rows: number;
  readonly keys: number;
  /** Keys of the longest sums. */
  readonly longest: number;
}

export const fullPlan: Plan = { rows: 16, keys: 2048, longest: 16384 };
export const quickPlan: Plan = { rows: 4, keys: 512, longest: 2048 };

/** Keys of a tile: FlashAttention's. */
export const m0 = 128;

export const load = (name: string): ArithmeticSpec => loadArithmetic(specFiles, name);

/** An error for a table: two digits. */
export const shown = (x: number): string => (x === 0 ? "0" : x < 1e-4 ? x.toExponential(1) : x.toPrecision(2));

export const share = (x: number): string =>
  x === 0 ? "0" : x >= 0.995 ? `${Math.round(100 * x)}%` : `${(100 * x).toPrecision(2)}%`;

/** What each of some cases gives, one after the other. */
export async function each<Case, Found>(
  cases: readonly Case[],
  find: (one: Case) => Promise<Found>,
): Promise<readonly Found[]> {
  const found: Found[] = [];
  for (const one of cases) found.push(await find(one));
  return found;
}
