import { InputError } from "../../errors.js";
import type { ArithmeticSpec } from "../../numerics/arithmetic.js";
import { boundInWords, largestScale, smallestScale } from "../../numerics/limits.js";
import { type Matrix, transposed } from "./encode.js";
import { smoothKeys } from "./smooth.js";

/** One head of attention. */
export interface OneHead {
  /** [P, E] */
  readonly q: Matrix;
  /** [M, E] */
  readonly k: Matrix;
  /** [M, F] */
  readonly v: Matrix;
  /** Keys per tile. */
  readonly m0: number;
  readonly scale: number;
  /** Whether query p sees key m. */
  sees(p: number, m: number): boolean;
  /** Runs of key tiles that are merged at the end. */
  readonly kvSplits: number;
  /** The cap of scores, in score units. */
  readonly softcap?: number;
  /** What is added to the score of query p and key m, rounded to the accumulator. */
  readonly bias?: (p: number, m: number) => number;
  /** What the running maximum begins with. */
  readonly sink?: number;
  /** What errors put in front of a place: which head it is, where there are several. */
  readonly label?: string;
}

/** What is encoded of a head: q [P, E], k [M, E] smoothed where the arithmetic says so, v [F, M]. */
export type HeadMatrices = Readonly<Record<"q" | "k" | "v", Matrix>>;

/** Which keys some query sees. */
export const seenKeys = ({ q, k, sees }: OneHead): readonly boolean[] =>
  Array.from({ length: k.rows }, (_, m) => Array.from({ length: q.rows }).some((_, p) => sees(p, m)));

/** The matrices of a head; keys that are not `seen` by a query of any head that reads them are zeros. */
export function matricesOf(arithmetic: ArithmeticSpec, head: OneHead, seen = seenKeys(head)): HeadMatrices {
  const { q, k, v } = head;
  return {
    q,
    k: onlyRows(arithmetic.smooth === "keys" ? smoothKeys(k, seen) : k, seen),
    v: transposed(onlyRows(v, seen)),
  };
}

/** The matrix with zeros in the rows that are out. */
function onlyRows({ rows, columns, values }: Matrix, kept: readonly boolean[]): Matrix {
  const only = values.slice();
  for (let row = 0; row < rows; row += 1) {
    if (kept[row] !== true) only.fill(0, row * columns, (row + 1) * columns);
  }
  return { rows, columns, values: only };
}

/** Throws InputError for sizes and a scale that make no attention. */
export function checkHead({ q, k, v, m0, scale, kvSplits }: OneHead): void {
  const fail = (where: string, got: number, expected: string): never => {
    throw new InputError({ where, got: String(got), expected });
  };
  if (k.columns !== q.columns) fail("features of k", k.columns, `${q.columns}, those of q`);
  if (v.rows !== k.rows) fail("keys of v", v.rows, `${k.rows}, those of k`);
  for (const [name, size] of [
    ["m0", m0],
    ["kvSplits", kvSplits],
  ] as const) {
    if (!(Number.isInteger(size) && size >= 1)) fail(name, size, "a whole number of at least 1");
  }
  if (!(scale >= smallestScale && scale <= largestScale)) fail("scale", scale, "a number from 2^-12 to 2^12");
}

/** Throws InputError at the first element above `limit` in magnitude, or not a number; v is transposed. */
export function checkValues(name: string, { values, columns }: Matrix, limit: number, label = ""): void {
  const index = values.findIndex(x => !(Math.abs(x) <= limit));
  if (index < 0) return;
  const place = [Math.floor(index / columns), index % columns];
  throw new InputError({
    where: `${label}${name}[${(name === "v" ? place.reverse() : place).join(",")}]`,
    got: String(values[index]),
    expected: limit === Number.MAX_VALUE ? "a finite number" : `at most ${boundInWords(limit)} in magnitude`,
  });
}
