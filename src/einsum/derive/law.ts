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

/** What a rewrite may cost in floating point, although it keeps the function of real numbers. */
export type Caution = "cancellation" | "division";

export interface Rewrite {
  /** The tensor whose Einsum was rewritten, or that was inlined. */
  readonly tensor: string;
  /** What was done, in words. */
  readonly words: string;
  readonly caution: Caution | null;
  /** Made when it is first asked for. */
  readonly cascade: Cascade;
}

export interface Refusal {
  readonly tensor: string;
  readonly reason: string;
}

/** A rewrite whose cascade is made when it is first asked for: a search looks at few of those that it is offered. */
export function rewriteOf(tensor: string, words: string, make: () => Cascade, caution: Caution | null = null): Rewrite {
  let made: Cascade | undefined;
  return {
    tensor,
    words,
    caution,
    get cascade() {
      made ??= make();
      return made;
    },
  };
}

/** Sorts what a law found at each place; null where nothing looks like it. */
export function lawResult(found: readonly (Rewrite | Refusal | null)[]): LawResult {
  const results = found.filter(result => result !== null);
  return {
    rewrites: results.filter(result => "words" in result),
    refusals: results.filter(result => "reason" in result),
  };
}
