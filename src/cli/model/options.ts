import { type Command, Option } from "commander";

/** How the model counts, as the command line says it. */
export interface AccountingOptions {
  readonly accounting?: string;
  readonly correct?: readonly string[];
}

/** The options that choose an accounting. */
export function accountingOptions(command: Command): Command {
  return command
    .addOption(
      new Option(
        "--accounting <name>",
        "published: as the authors computed it; corrected: with every error mended",
      ).choices(["published", "corrected"]),
    )
    .addOption(
      new Option("--correct <names>", "corrections to turn on, comma-separated, or all; may be repeated").argParser(
        (text: string, before: readonly string[] = []) => [...before, ...text.split(",").map(name => name.trim())],
      ),
    );
}
