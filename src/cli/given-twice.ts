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
 * Makes a command refuse an option beside its opposite, and one value after another where only one can count: which of
 * the two was meant cannot be known, and a list that is given in two halves would lose the first.
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
      if (option.variadic || option instanceof RepeatedOption || before.text === text) return;
      throw new UsageError({
        where: long,
        got: `${before.text ?? "no value"}, then ${text ?? "no value"}`,
        expected: "one value",
        fix: "it cannot be given again",
      });
    });
  }
}
