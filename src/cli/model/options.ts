import { type Command, Option } from "commander";
import { howMany, UsageError } from "../../errors.js";
import type { Accounting } from "../../model/accounting.js";
import { accountingFor, accountingOf, correctionsOf } from "../../model/corrections.js";
import type { Patch } from "../../model/patch.js";
import type { Design } from "../../spec/design.js";
import type { Phase } from "../../spec/workload.js";
import { choice, parsed, parseModelSize, RepeatedOption } from "../option.js";
import { numberWithUnit } from "../values.js";

/** How the model counts, as the command line says it. */
export interface AccountingOptions {
  readonly accounting?: string;
  readonly correct?: readonly string[];
}

/** The accounting that was asked for, or the one for these designs and that many settings, and whether it is that. */
export function accountingOfCommand(
  { accounting, correct }: AccountingOptions,
  designs: readonly Design[],
  settings: number,
): { readonly accounting: Accounting; readonly byDefault: boolean } {
  const asked = accountingOf(accounting, correct, "published", accountingFor(designs, settings));
  if (correct?.includes("all") === false) refuseIdle(asked.corrections, designs);
  return { accounting: asked, byDefault: accounting === undefined && correct === undefined };
}

/** A correction that no design has would be taken without effect. @throws UsageError */
function refuseIdle(wanted: readonly string[], designs: readonly Design[]): void {
  const known = new Set(designs.flatMap(correctionsOf));
  const idle = wanted.find(name => !known.has(name));
  if (idle === undefined) return;
  const got = `"${idle}", which fixes nothing of ${designs.map(({ name }) => name).join(", ")}`;
  throw new UsageError({ where: "--correct", got, expected: `one that does: ${[...known].join(", ")}` });
}

/** Which queries there are, as the command line says it. */
export interface PhaseOptions {
  readonly phase: Phase;
  readonly queries?: number;
}

export const phaseOption = (): Option =>
  choice("--phase <name>", "prefill: all queries of a sequence; decode: the next ones, against all keys so far", [
    "prefill",
    "decode",
  ]).default("prefill");

export const queriesOption = (): Option =>
  parsed("--queries <n>", "queries at once in decode (default: 1)", parseModelSize);

/** The queries that are asked for. @throws UsageError where a number of them would have no effect. */
export function queriesOf({ phase, queries }: PhaseOptions): { readonly phase: Phase; readonly decodeQueries: number } {
  if (queries !== undefined && phase !== "decode") {
    throw new UsageError({ where: "--queries", got: `--phase ${phase}`, expected: "--phase decode" });
  }
  return { phase, decodeQueries: queries ?? 1 };
}

/** A batch of another size than its paddings would be taken without effect. @throws UsageError */
export function checkPaddings({
  batch,
  leftPad,
}: {
  readonly batch?: number;
  readonly leftPad?: readonly number[];
}): void {
  if (batch === undefined || leftPad === undefined || leftPad.length === batch) return;
  const [got, expected] = [howMany(leftPad.length, "length"), `${batch}, one for each of --batch`];
  throw new UsageError({ where: "--left-pad", got, expected });
}

/** The options that choose an accounting. */
export function accountingOptions(command: Command): Command {
  return command
    .addOption(
      choice(
        "--accounting <name>",
        "published: as the authors computed it; corrected: with every error corrected (default: published for the paper's designs as they ship, else corrected)",
        ["published", "corrected"],
      ),
    )
    .addOption(
      new RepeatedOption(
        "--correct <names>",
        "corrections to turn on, comma-separated, or all; may be repeated",
      ).argParser((text: string, before: readonly string[] = []) => [
        ...before,
        ...text.split(",").map(name => name.trim()),
      ]),
    );
}

/** The option that replaces fields of the designs' specs. */
export function settingsOption(): Option {
  return new Option(
    "--set <fields...>",
    "fields of the specs and what they become, such as architecture.levels.buffer.bytes=8M; *= multiplies",
  ).argParser((text: string, before: readonly Patch[] = []) => [...before, parseSetting(text)]);
}

/** FIELD=FORMULA or FIELD*=FORMULA, or a number as a sweep takes it, such as 8M. @throws UsageError */
function parseSetting(text: string): Patch {
  const match = /^((?:architecture|mapping|binding|technology)(?:\.[^.\s*=]+)+)\s*(\*?)=\s*(\S.*)$/.exec(text);
  const [, path, times, value] = match ?? [];
  if (path === undefined || value === undefined) {
    const expected = "FIELD=VALUE with a field of the design's specs, such as architecture.levels.buffer.bytes=8M";
    throw new UsageError({ where: "--set", got: `"${text}"`, expected });
  }
  const number = numberWithUnit(value) ?? (/^[-+]/.test(value) ? signed(value) : null);
  return { path, value: number ?? value, where: `--set ${path}`, ...(times === "*" ? { relative: true } : {}) };
}

/** A number with its sign, so that a field that takes no formula can say what is wrong with it. */
function signed(text: string): number | null {
  const size = numberWithUnit(text.slice(1));
  return size === null ? null : text.startsWith("-") ? -size : size;
}
