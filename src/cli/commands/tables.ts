import type { Command } from "commander";
import { arithmeticOption, formatOption } from "../arithmetic.js";
import { accountingOptions, settingsOption } from "../model/options.js";
import type { TablesOptions } from "../model/tables.js";
import { parsed, parseModelSize } from "../option.js";

export function register(program: Command): void {
  const command = program
    .command("tables")
    .description(
      "Print what an access of each memory and an operation of each PE cost, and the area of every component.",
    )
    .option("--design <names...>", "designs of specs/designs or YAML files (default: the paper's five)")
    .option("--model <name>", "a workload whose sizes formulas may name", "bert")
    .addOption(parsed("--seq <n>", "tokens", parseModelSize).default(4096, "4K"));
  accountingOptions(command)
    .addOption(arithmeticOption())
    .addOption(formatOption())
    .addOption(settingsOption())
    .option("--json", "print them as JSON (fusemax.tables/1), and nothing else, on stdout")
    .option("--csv", "print them as CSV, a line a memory, an operation, or a component")
    .addHelpText("after", examples)
    .action(async (options: TablesOptions) => {
      const { runTables } = await import("../model/tables.js");
      runTables(options);
    });
}

const examples = `
Examples:
  fusemax tables --design fusemax
  fusemax tables --design my-design.yaml --csv`;
