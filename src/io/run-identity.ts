import type { AttentionProblem, Operands } from "../attention/problem.js";
import { hashOfValues } from "./hash-of-values.js";

/** What rows belong to: everything that fixes their bits. The array's columns, the engine and its speed do not. */
export type RunIdentity = Readonly<Record<string, string | number | readonly number[] | null>>;

/** The identity of a run: its contract, sizes and number format, and the hashes of its operands. */
export async function runIdentity(problem: AttentionProblem, operands: Operands): Promise<RunIdentity> {
  const { shape, mask, tile, arithmetic, scale, cascade } = problem;
  return {
    contract: 1,
    format: arithmetic.name,
    ...shape,
    m0: tile.m0,
    scale,
    ...mask,
    ...(cascade === undefined ? {} : { cascade: cascade.text }),
    q: await hashOfValues(operands.q),
    k: await hashOfValues(operands.k),
    v: await hashOfValues(operands.v),
  };
}
