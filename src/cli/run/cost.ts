import { biasRanks, hasScoreTerms, noScoreTerms, type ScoreTerms } from "../../attention/score-terms.js";
import { SpecError } from "../../errors.js";
import { costOfRun, type RunCost } from "../../model/cost.js";
import type { Design } from "../../spec/design.js";
import { designWithTerms } from "../../spec/score-terms/design.js";
import { accountingOfCommand } from "../model/options.js";
import { publishedArray, type RunOptions } from "./options.js";
import type { RunPlan } from "./plan.js";

/**
 * What the attention costs on the run's design, on an array of the run's size, in the run's arithmetic. An array of another
 * size is a setting, and so are another cascade, a soft-cap and a bias: that design is not the paper's as it ships.
 */
export function costOfPlan({ design: { design }, problem, valuesInKeys }: RunPlan, options: RunOptions): RunCost {
  const { shape, mask, softcap, bias } = problem;
  const { array = publishedArray } = options;
  const asked: ScoreTerms = {
    softcap: softcap === undefined ? null : "divider",
    bias: bias === undefined ? null : biasRanks(bias, shape.queries),
  };
  const terms = hasPlace(design, asked) ? asked : noScoreTerms;
  const asShipped =
    options.cascade === undefined &&
    array.m0 === publishedArray.m0 &&
    array.p0 === publishedArray.p0 &&
    !hasScoreTerms(terms);
  const { accounting } = accountingOfCommand(options, [design], asShipped ? 0 : 1);
  // The published accounting knows neither.
  const charged = accounting.name === "published" ? noScoreTerms : terms;
  return costOfRun(design, { ...shape, valuesInKeys }, options.array, mask, { accounting, terms: charged });
}

/** Whether a design has a place for what is done to scores; one without is costed without it, which the report says. */
function hasPlace(design: Design, terms: ScoreTerms): boolean {
  try {
    designWithTerms(design, terms);
    return true;
  } catch (error) {
    if (error instanceof SpecError) return false;
    throw error;
  }
}
