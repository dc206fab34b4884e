import { howMany } from "../errors.js";
import type { RunCost } from "../model/cost.js";

/** What is done to scores beside scaling, as far as its cost goes. */
export interface ScoreTermsOfRun {
  readonly softcap: number | null;
  readonly bias: readonly number[] | null;
  readonly sink: boolean;
  readonly heads: number;
  /** Scores that exist. */
  readonly scores: number;
}

/** Multiply-adds of a soft-cap: |s| g, the five of E2's polynomial, w r, and t's own. */
const softcapMacs = 8;

/**
 * What the cost leaves out, in a line each, and what the nearest charge is: the published accounting knows no cap and no bias,
 * and some designs have no place for them.
 * @param charged what the cost has of them
 * @param lanes columns of the 1D array, each with a divider
 */
export function uncharged(
  { softcap, bias, sink, heads, scores }: ScoreTermsOfRun,
  charged: RunCost["scores"],
  lanes: number,
): readonly string[] {
  const many = scores.toLocaleString("en-US");
  const rounds = Math.ceil(scores / lanes).toLocaleString("en-US");
  return [
    ...(softcap === null || charged.softcap !== null
      ? []
      : [
          `the soft-cap: ${softcapMacs} multiply-adds, 2 additions and a division for each of ${many} scores; PEs that make scores have no divider, the nearest are the 1D array's, ${rounds} divisions each`,
        ]),
    ...(bias === null || charged.bias !== null
      ? []
      : [
          `the bias: an addition for each of ${howMany(many, "score")}, the nearest charge a maximum's, and ${howMany(bias.reduce((a, b) => a * b, 1).toLocaleString("en-US"), "word")} from memory, read once`,
        ]),
    ...(sink ? [`the sinks: ${howMany(heads, "word")} from memory, and at most an exponential for each row`] : []),
  ];
}
