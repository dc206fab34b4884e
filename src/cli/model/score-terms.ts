import { type Command, Option } from "commander";
import type { ScoreSizes } from "../../attention/broadcast.js";
import type { Division, ScoreChoice } from "../../attention/score-terms.js";
import { UsageError } from "../../errors.js";
import type { Accounting } from "../../model/accounting.js";
import { conflict, needs } from "../conflict.js";
import { choice, parsed } from "../option.js";
import { parseNumber } from "../values.js";

/** What is charged of a soft-cap and a bias, as the command line says it. */
export interface ScoreOptions {
  /** The cap; false: none, not even the model's. */
  readonly softcap?: number | false;
  readonly softcapDivision?: Division;
  readonly bias?: ScoreSizes;
}

/** Adds `--softcap`, `--no-softcap`, `--softcap-division` and `--bias`. */
export function scoreOptions(command: Command): Command {
  return command
    .addOption(
      parsed("--softcap <x>", "charge a cap of the scores at x by tanh (default: as the model does)", (name, text) =>
        parseNumber(name, text, "a number from 2^-24 to 2^24", 2 ** -24, 2 ** 24),
      ),
    )
    .addOption(new Option("--no-softcap", "leave the cap out, the model's own as well"))
    .addOption(
      choice(
        "--softcap-division <how>",
        "its division: divider, on an array that has one, or multiply-adds (a seed, three Newton steps) where scores are made (default: divider)",
        ["divider", "multiply-adds"],
      ),
    )
    .addOption(
      parsed(
        "--bias <ranks>",
        "charge a bias of the scores by its ranks: H,P,M or P,M, 1 where it is broadcast",
        parseRanks,
      ),
    );
}

const letters = ["B", "H", "P", "M"];

/** `H,P,M`, `P,M`, `H,1,M`: a letter in its place, from the right, or 1. */
function parseRanks(option: string, text: string): ScoreSizes {
  const given = text
    .replace(/^\[|\]$/g, "")
    .split(",")
    .map(rank => rank.trim().toUpperCase());
  const padded = ["1", "1", "1", "1", ...given].slice(given.length);
  const fits = given.length <= 4 && padded.every((rank, i) => rank === "1" || rank === letters[i]);
  // Two stand for however many there are.
  if (fits) return padded.map(rank => (rank === "1" ? 1 : 2)) as unknown as ScoreSizes;
  throw new UsageError({
    where: option,
    got: `"${text}"`,
    expected: "ranks that broadcast to B,H,P,M from the right, each its letter or 1",
    fix: "such as H,P,M, P,M or H,1,M",
  });
}

/** What the options ask of these models' scores. @throws UsageError for a way to divide where nothing is capped. */
export function scoreChoice(
  { softcap, softcapDivision, bias = undefined }: ScoreOptions,
  models: readonly { readonly softcap: number | undefined }[],
): ScoreChoice {
  if (softcapDivision !== undefined) {
    if (softcap === false) throw conflict("--softcap-division", "--no-softcap");
    if (softcap === undefined && models.every(model => model.softcap === undefined))
      throw needs("--softcap-division", "a cap: --softcap, or a model that has one, such as gemma-2-9b");
  }
  return {
    softcap: softcap === false ? "off" : softcap === undefined ? "model" : "on",
    division: softcapDivision ?? "divider",
    bias: bias ?? null,
  };
}

/** Whether something of these models' scores is charged: then the accounting is not the published one by default. */
export const chargesScores = (
  { softcap, bias }: ScoreChoice,
  models: readonly { readonly softcap: number | undefined }[],
): boolean =>
  bias !== null || softcap === "on" || (softcap === "model" && models.some(model => model.softcap !== undefined));

/** What is charged under an accounting, and a line where that is not all: the published one knows no such thing. */
export function chargedUnder(
  accounting: Accounting,
  scores: ScoreChoice,
  models: readonly { readonly softcap: number | undefined }[],
): { readonly scores?: ScoreChoice; readonly notes: readonly string[] } {
  if (accounting.name !== "published") return { scores, notes: [] };
  const left = chargesScores(scores, models);
  return {
    notes: left ? ["the published accounting has no soft-cap and no bias: they are left out"] : [],
  };
}
