import type { Command, Option } from "commander";
import { UsageError } from "../errors.js";
import { conflict } from "./conflict.js";
import { RepeatedOption } from "./option.js";

/** One option as a command line has it: `--softcap 30`. */
interface Given {
  readonly option: Option;
  readonly text: string | undefined;
}

/**
 * Makes a command refuse an option beside its opposite, and a list in two halves: which of the two was meant cannot be
 * known, and the first half would be lost. Of other values the last counts, as everywhere: so scripts change one.
 */
export function refuseSecondThoughts(command: Command): void {
  const seen = new Map<string, Given>();
  for (const option of command.options) {
    command.on(`option:${option.name()}`, (text: string | undefined) => {
      const before = seen.get(option.attributeName());
      seen.set(option.attributeName(), { option, text });
      if (before === undefined) return;
      const long = option.long ?? option.flags;
      if (before.option !== option) throw conflict(long, before.option.long ?? before.option.flags);
      if (!isList(option) || before.text === text) return;
      throw new UsageError({
        where: long,
        got: `${before.text ?? "nothing"}, then ${text ?? "nothing"}`,
        expected: "one list",
        fix: "give all of it at once, with commas between",
      });
    });
  }
}

/** Whether an option's text is a list, and is not gathered where it is given again. */
const isList = (option: Option): boolean =>
  /<(list|sizes|names|measures)>/.test(option.flags) && !(option instanceof RepeatedOption);
