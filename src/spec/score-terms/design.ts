import { hasScoreTerms, type ScoreTerms } from "../../attention/score-terms.js";
import { SpecError } from "../../errors.js";
import { completeMapping } from "../complete-mapping.js";
import type { Design } from "../design.js";
import { checkFusion } from "../fusion.js";
import { bindingWithTerms } from "./binding.js";
import { withScoreTerms } from "./cascade.js";
import { mappingWithTerms } from "./mapping.js";
import { termArrays } from "./place.js";
import { scheduleWithTerms } from "./schedule.js";

/** A design with what is done to its scores, and what a reader of its cost has to know. */
export interface DesignWithTerms {
  readonly design: Design;
  readonly notes: readonly string[];
}

const known = new WeakMap<Design, Map<string, DesignWithTerms>>();

/**
 * The design with a soft-cap and a bias as Einsums of its cascade, mapped, bound and scheduled, so that every reader of a
 * design sees them. Throws SpecError for a design that has no cascade of attention, or no array for them.
 */
export function designWithTerms(design: Design, terms: ScoreTerms): DesignWithTerms {
  if (!hasScoreTerms(terms)) return { design, notes: [] };
  const memo = known.get(design) ?? new Map<string, DesignWithTerms>();
  known.set(design, memo);
  const key = JSON.stringify(terms);
  const made = memo.get(key) ?? insertTerms(design, terms);
  memo.set(key, made);
  return made;
}

function insertTerms(design: Design, terms: ScoreTerms): DesignWithTerms {
  const { cascade, placement, spec, architecture } = design;
  if (cascade === undefined || placement === undefined) {
    throw new SpecError({
      where: spec.at(["cascade"]),
      got: "no cascade, and scores that are capped or biased",
      expected: "a design that names its cascade",
      fix: "leave out --bias, and --softcap or a model's own with --no-softcap",
    });
  }
  const scores = withScoreTerms(cascade, terms, spec.at(["cascade"]));
  const arrays = termArrays(design, scores, terms.softcap);
  const written = mappingWithTerms(design, scores, arrays, terms.bias);
  const complete = completeMapping(written, scores.cascade, architecture);
  checkFusion(complete.mapping.data, architecture.data, complete.facts, complete.mapping.at);
  return {
    design: {
      ...design,
      cascade: scores.cascade,
      mapping: complete.mapping,
      placement: complete.placement,
      binding: bindingWithTerms(design, scores, arrays),
      schedule: scheduleWithTerms(design, scores, arrays),
    },
    notes: arrays.notes,
  };
}
