import { type Command, Option } from "commander";
import { UsageError } from "../../errors.js";
import type { Patch } from "../../model/patch.js";
import type { Phase } from "../../spec/workload.js";
import { choice, parsed, parseModelSize } from "../option.js";
import { numberWithUnit } from "../values.js";

/** How the model counts, as the command line says it. */
export interface AccountingOptions {
  readonly accounting?: string;
  readonly correct?: readonly string[];
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
    throw new UsageError({ where: "--queries", got: `it in ${phase}`, expected: "--phase decode with it" });
  }
  return { phase, decodeQueries: queries ?? 1 };
}

/** The options that choose an accounting. */
export function accountingOptions(command: Command): Command {
  return command
    .addOption(
      choice("--accounting <name>", "published: as the authors computed it; corrected: with every error mended", [
        "published",
        "corrected",
      ]),
    )
    .addOption(
      new Option("--correct <names>", "corrections to turn on, comma-separated, or all; may be repeated").argParser(
        (text: string, before: readonly string[] = []) => [...before, ...text.split(",").map(name => name.trim())],
      ),
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
  const match = /^((?:architecture|mapping|binding|technology)(?:\.\w+)+)\s*(\*?)=\s*(\S.*)$/.exec(text);
  const [, path, times, value] = match ?? [];
  if (path === undefined || value === undefined) {
    const expected = "FIELD=VALUE with a field of the design's specs, such as architecture.levels.buffer.bytes=8M";
    throw new UsageError({ where: "--set", got: `"${text}"`, expected });
  }
  return { path, value: numberWithUnit(value) ?? value, ...(times === "*" ? { relative: true } : {}) };
}
