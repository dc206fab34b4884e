import { type Command, Option } from "commander";
import { UsageError } from "../../errors.js";
import type { Patch } from "../../model/patch.js";
import { choice } from "../option.js";
import { numberWithUnit } from "../values.js";

/** How the model counts, as the command line says it. */
export interface AccountingOptions {
  readonly accounting?: string;
  readonly correct?: readonly string[];
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
