import type { Cascade } from "../cascade.js";

/**
 * A law: a rewrite of a cascade that keeps the function. Its condition is checked on the expressions, never on names; what
 * it gives is a cascade like any other, read again from its text.
 */
export interface Law {
  readonly name: string;
  /** What it says, as an equation with its condition. */
  readonly statement: string;
  /** Every place where it applies, and those that look alike where it does not, with the reason. */
  apply(cascade: Cascade): LawResult;
}

export interface LawResult {
  readonly rewrites: readonly Rewrite[];
  readonly refusals: readonly Refusal[];
}

export interface Rewrite {
  /** The tensor whose Einsum was rewritten. */
  readonly tensor: string;
  /** What was done, in words. */
  readonly words: string;
  readonly cascade: Cascade;
}

export interface Refusal {
  readonly tensor: string;
  readonly reason: string;
}
