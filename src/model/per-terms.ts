import type { ScoreTerms } from "../attention/score-terms.js";
import type { Design } from "../spec/design.js";
import { designWithTerms } from "../spec/score-terms/design.js";

/** What is made of a design, once for each of the score terms that its points have. */
export interface PerTerms<T> {
  readonly of: (terms: ScoreTerms) => T;
  /** What a reader has to know of how the terms are charged. */
  readonly notes: readonly string[];
}

/** Throws SpecError for a design that has no place for some terms, and as `make` does. */
export function perTerms<T>(design: Design, all: readonly ScoreTerms[], make: (design: Design) => T): PerTerms<T> {
  const notes = new Set<string>();
  const made = new Map<string, T>();
  const of = (terms: ScoreTerms): T => {
    const key = JSON.stringify(terms);
    const known = made.get(key);
    if (known !== undefined) return known;
    const own = designWithTerms(design, terms);
    for (const note of own.notes) notes.add(note);
    const result = make(own.design);
    made.set(key, result);
    return result;
  };
  for (const terms of all) of(terms);
  return { of, notes: [...notes] };
}
