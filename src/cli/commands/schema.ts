import type { Command } from "commander";
import type { SchemaOptions } from "../schema/schema.js";

export function register(program: Command): void {
  program
    .command("schema")
    .description("Print the JSON Schema of a kind of spec files, so that editors complete and check them.")
    .argument(
      "[kind]",
      "architecture, arithmetic, binding, design, mapping, schedule, technology or workload (default: all, by kind)",
    )
    .option("--reference", "print docs/spec-reference.md in place of it: a line for each field")
    .addHelpText("after", examples)
    .action(async (kind: string | undefined, options: SchemaOptions) => {
      const { runSchema } = await import("../schema/schema.js");
      runSchema(kind, options);
    });
}

const examples = `
Examples:
  fusemax schema architecture > architecture.schema.json
  fusemax schema --reference`;
