import { type Command, Option } from "commander";
import type { ModelOptions } from "../model/model.js";
import { accountingOptions, settingsOption } from "../model/options.js";
import { parseSize } from "../values.js";

export function register(program: Command): void {
  const command = program
    .command("model")
    .description("Model designs on workloads: cycles, time, utilization, DRAM traffic, energy and area.")
    .option("--design <names...>", "designs of specs/designs or YAML files (default: the paper's five)")
    .option("--model <names...>", "workloads of specs/workloads or YAML files (default: bert)")
    .option("--seq <lengths...>", "sequence lengths, queries = keys: 1K,4K,1M (default: 4K)")
    .addOption(
      new Option("--batch <n>", "sequences at once").argParser(text => parseSize("--batch", text)).default(64, "64"),
    );
  accountingOptions(command)
    .addOption(settingsOption())
    .option("--json", "print the results as JSON (fusemax.model/1), and nothing else, on stdout")
    .option("--csv", "print the results as CSV, a line a result")
    .addHelpText("after", examples)
    .action(async (options: ModelOptions) => {
      const { runModel } = await import("../model/model.js");
      runModel(options);
    });
}

const examples = `
Examples:
  fusemax model
  fusemax model --design fusemax,flat --model bert,xlm --seq 1K,16K,1M --csv
  fusemax model --design my-design.yaml --model my-workload.yaml --accounting corrected
  fusemax model --set architecture.parameters.rows=128 "architecture.levels.buffer.bytes*=2"
  fusemax model --seq 65792 --correct partial-blocks`;
