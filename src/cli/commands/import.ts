import type { Command } from "commander";
import type { ImportOptions } from "../import/timeloop.js";

export function register(program: Command): void {
  const command = program.command("import").description("Make a design of another tool's files.");
  command
    .command("timeloop")
    .description("Make a design of Timeloop's architecture, problem and mapping, version 0.4: its counts are the same.")
    .argument("<architecture>", "YAML file with architecture: nodes")
    .argument("<problem>", "YAML file with problem: shape and instance")
    .argument("<mapping>", "YAML file with mapping: a list of directives")
    .option(
      "--out <folder>",
      "write design.yaml and what it names into this folder (default: print them); every command takes the design",
    )
    .addHelpText("after", examples)
    .action(async (architecture: string, problem: string, mapping: string, options: ImportOptions) => {
      const { importTimeloop } = await import("../import/timeloop.js");
      await importTimeloop(architecture, problem, mapping, options);
    });
}

const examples = `
Examples:
  fusemax import timeloop arch.yaml problem.yaml map.yaml --out imported
  fusemax model --design imported/design.yaml --counts`;
