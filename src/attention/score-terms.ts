import type { ScoreSizes } from "./broadcast.js";

/** Over which of [B, H, P, M] a bias has values of its own; it is broadcast over the others. */
export interface BiasRanks {
  readonly batch: boolean;
  readonly heads: boolean;
  readonly queries: boolean;
  readonly keys: boolean;
}

/** What is done to scores between their product and the maximum, as far as its cost goes (docs/numerics.md). */
export interface ScoreTerms {
  /** Scores are capped by tanh: so is a division done; null where they are not. */
  readonly softcap: Division | null;
  readonly bias: BiasRanks | null;
}

/** The ranks as they are written: H,P,M, with 1 where the bias is broadcast. */
export function biasText({ batch, heads, queries, keys }: BiasRanks): string {
  const ranks = [batch && "B", heads && "H", queries && "P", keys && "M"].map(rank => rank || "1");
  return ranks
    .slice(
      Math.min(
        2,
        Math.max(
          0,
          ranks.findIndex(rank => rank !== "1"),
        ),
      ),
    )
    .join(",");
}

/** On an array's divider, wherever one is, or by multiply-adds where scores are made. */
export type Division = "divider" | "multiply-adds";

/** What of a score is asked for, whatever the model: its own soft-cap, one in any case, or none. */
export interface ScoreChoice {
  readonly softcap: "model" | "on" | "off";
  readonly division: Division;
  /** The ranks of a bias, by its sizes: 1 where it is broadcast, else more. */
  readonly bias: ScoreSizes | null;
}

/** Whether nothing is asked for but what a model has itself. */
export const isModelsOwn = ({ softcap, bias }: ScoreChoice): boolean => softcap === "model" && bias === null;

/** What is asked for of a model's scores. `queriesAtOnce`: of one step. */
export function scoreTermsOf(
  { softcap, division, bias }: ScoreChoice,
  model: { readonly softcap: number | undefined },
  queriesAtOnce: number,
): ScoreTerms {
  const caps = softcap === "on" || (softcap === "model" && model.softcap !== undefined);
  return { softcap: caps ? division : null, bias: bias === null ? null : biasRanks(bias, queriesAtOnce) };
}

export const noScoreTerms: ScoreTerms = { softcap: null, bias: null };

export const hasScoreTerms = ({ softcap, bias }: ScoreTerms): boolean => softcap !== null || bias !== null;

/**
 * The ranks of a bias by its sizes. With one query its own axis is that of the rows, which is where heads that share keys
 * are: a bias of each head then has a value for each row.
 */
export function biasRanks([batch, heads, queries, keys]: ScoreSizes, queriesAtOnce: number): BiasRanks {
  return {
    batch: batch > 1,
    heads: heads > 1,
    queries: queries > 1 || (heads > 1 && queriesAtOnce === 1),
    keys: keys > 1,
  };
}
