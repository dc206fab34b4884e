import type { Command } from "commander";
import { arithmeticOption, formatOption } from "../arithmetic.js";
import { maskOptions } from "../model/masking.js";
import type { ModelOptions } from "../model/model.js";
import { accountingOptions, phaseOption, queriesOption, settingsOption } from "../model/options.js";
import { scoreOptions } from "../model/score-terms.js";
import { parsed, parseModelSize } from "../option.js";
import { parseLengths } from "../values.js";

export function register(program: Command): void {
  const command = program
    .command("model")
    .description("Model designs on workloads: cycles, time, utilization, DRAM traffic, energy and area.")
    .option("--design <names...>", "designs of specs/designs or YAML files (default: the paper's five)")
    .option("--model <names...>", "workloads of specs/workloads or YAML files (default: bert)")
    .option("--seq <lengths...>", "sequence lengths: 1K,4K,1M (default: 4K, or what the model was made for)")
    .addOption(parsed("--batch <n>", "sequences at once (default: the workload's, 64 for the paper's)", parseModelSize))
    .addOption(phaseOption())
    .addOption(queriesOption())
    .addOption(parsed("--kv-lens <list>", "a batch of these lengths, in place of --seq and --batch", parseLengths))
    .addOption(
      parsed("--left-pad <list>", "keys of each sequence of the batch that are padding in front", parseLengths),
    );
  maskOptions(command).option(
    "--layer",
    "a whole layer: the projections and the feed-forward layer (active experts) as well",
  );
  scoreOptions(command);
  accountingOptions(command)
    .addOption(arithmeticOption())
    .addOption(formatOption())
    .addOption(settingsOption())
    .option("--json", "print the results as JSON (fusemax.model/1), and nothing else, on stdout")
    .option("--csv", "print the results as CSV, a line a result")
    .option("--counts", "print every action instead: reads, updates, fills, bytes, energy by Einsum, level and tensor")
    .option("--loop-nest", "print the mappings instead, as nests of loops with the tiles that each level keeps")
    .option("--roofline <file.svg>", "draw what each level and the arrays allow, and what is reached")
    .addHelpText("after", examples)
    .action(async (options: ModelOptions) => {
      const { runModel } = await import("../model/model.js");
      await runModel(options);
    });
}

const examples = `
Examples:
  fusemax model
  fusemax model --design fusemax,flat --model bert,xlm --seq 1K,16K,1M --csv
  fusemax model --design my-design.yaml --model my-workload.yaml --accounting corrected
  fusemax model --set architecture.parameters.rows=128 "architecture.levels.buffer.bytes*=2"
  fusemax model --design fusemax --counts --csv
  fusemax model --design fusemax,flat --loop-nest --roofline roofline.svg
  fusemax model --seq 65792 --correct partial-blocks
  fusemax model --model llama-3-8b --phase decode --seq 8K --batch 16 --layer
  fusemax model --model gemma-2-9b --softcap-division multiply-adds --bias H,P,M
  fusemax model --model deepseek-v3-absorbed --phase decode --seq 128K`;
