import { setFlagsFromString } from "node:v8";
import type { Command } from "commander";
import { accountingOptions } from "../model/options.js";
import type { ReproduceOptions } from "../model/reproduce.js";
import { choice } from "../option.js";

export function register(program: Command): void {
  const command = program
    .command("reproduce")
    .description("Compute the paper's evaluation: its tables (CSV), figures 6 to 12 (SVG) and headline numbers.")
    .argument("[study]", "attention, end-to-end, pareto, corrections or all", "all")
    .option("--out <folder>", "folder for the tables and figures, made if it is not there", "reproduction");
  accountingOptions(command)
    .addOption(
      choice("--mapping <name>", "published, or search for the best where a mapping leaves a choice", [
        "published",
        "search",
      ]).default("published"),
    )
    .option("--json", "print the summary as JSON (fusemax.reproduce/1), and nothing else, on stdout")
    .addHelpText("after", examples)
    .action(async (study: string, options: ReproduceOptions) => {
      // Half a second of JavaScript, nearly all of it run a few times: optimizing it takes longer than it gains.
      const brief = study !== "corrections" && options.mapping === "published";
      if (brief) setFlagsFromString("--no-opt");
      try {
        const { runReproduce } = await import("../model/reproduce.js");
        await runReproduce(study, options);
      } finally {
        if (brief) setFlagsFromString("--opt");
      }
    });
}

const examples = `
Examples:
  fusemax reproduce
  fusemax reproduce attention --out attention
  fusemax reproduce all --mapping search
  fusemax reproduce corrections`;
