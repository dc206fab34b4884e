import { isModelsOwn, noScoreTerms, type ScoreChoice, type ScoreTerms } from "../attention/score-terms.js";
import { SpecError } from "../errors.js";
import type { Design } from "../spec/design.js";
import { type DesignWithTerms, designWithTerms } from "../spec/score-terms/design.js";

/** A design with the terms that it is charged: all that were asked for, or none. */
export interface ChargedDesign extends DesignWithTerms {
  readonly terms: ScoreTerms;
}

/**
 * Lays terms over a design. What nobody asked for, a model's own soft-cap, is left out of a design that has no place for it, and
 * a line says so. Throws SpecError where it was asked for.
 */
export function chargedDesign(design: Design, terms: ScoreTerms, scores: ScoreChoice | undefined): ChargedDesign {
  try {
    return { ...designWithTerms(design, terms), terms };
  } catch (error) {
    if (!(error instanceof SpecError) || scores === undefined || !isModelsOwn(scores)) throw error;
    const note = `${design.name} is charged no soft-cap: ${error.complaint.got}`;
    return { design, terms: noScoreTerms, notes: [note] };
  }
}

/** What is made of a design, once for each of the score terms that its points have. */
export interface PerTerms<T> {
  readonly of: (terms: ScoreTerms) => T;
  /** The terms that are charged of those. */
  readonly charged: (terms: ScoreTerms) => ScoreTerms;
  /** What a reader has to know of how the terms are charged. */
  readonly notes: readonly string[];
}

/** Throws SpecError for a design that has no place for terms that were asked for, and as `make` does. */
export function perTerms<T>(
  design: Design,
  all: readonly ScoreTerms[],
  scores: ScoreChoice | undefined,
  make: (design: Design) => T,
): PerTerms<T> {
  const notes = new Set<string>();
  const known = new Map<string, { readonly made: T; readonly terms: ScoreTerms }>();
  const at = (terms: ScoreTerms): { readonly made: T; readonly terms: ScoreTerms } => {
    const key = JSON.stringify(terms);
    const before = known.get(key);
    if (before !== undefined) return before;
    const own = chargedDesign(design, terms, scores);
    for (const note of own.notes) notes.add(note);
    const found = { made: make(own.design), terms: own.terms };
    known.set(key, found);
    return found;
  };
  for (const terms of all) at(terms);
  return { of: terms => at(terms).made, charged: terms => at(terms).terms, notes: [...notes] };
}
