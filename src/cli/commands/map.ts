import type { Command } from "commander";
import type { MapOptions } from "../map/options.js";
import { accountingOptions, phaseOption, queriesOption, settingsOption } from "../model/options.js";
import { choice, parsed, parseModelSize } from "../option.js";
import { parseSeed, parseSize } from "../values.js";
import { workingOptions } from "../working.js";

export function register(program: Command): void {
  const command = program
    .command("map")
    .description(
      "Search mappings of a design's cascade on its architecture: fusion, tiles, loop orders, arrays, what is kept where.",
    )
    .option(
      "--design <name>",
      "a design of specs/designs or a YAML file; its own mapping and binding are not looked at",
      "fusemax",
    )
    .option("--model <name>", "a workload of specs/workloads or a YAML file", "bert")
    .addOption(parsed("--seq <n>", "tokens", parseModelSize).default(4096, "4K"))
    .addOption(parsed("--batch <n>", "sequences at once (default: the workload's)", parseModelSize))
    .addOption(phaseOption())
    .addOption(queriesOption())
    .option("--layers <kind>", "which layers, where a model's are of several kinds")
    .option("--no-mask", "let every query see every key, causal or not")
    .addOption(
      choice("--objective <name>", "what is to be least; pareto: every mapping that no other beats in both", [
        "latency",
        "energy",
        "edp",
        "pareto",
      ]).default("latency"),
    )
    .addOption(
      parsed("--budget <n>", "tilings to search at the most (default: 200)", (option, text) => parseSize(option, text)),
    )
    .addOption(
      parsed(
        "--seed <n>",
        "draw every other tiling of a budget smaller than the space at random, by this seed (default: those with the best bounds alone)",
        parseSeed,
      ),
    )
    .option("--exhaustive", "search all that no bound rules out, and so prove the best; for small machines")
    .option("--schedulable", "search only mappings that a schedule can be simulated of, cycle by cycle")
    .option(
      "--out <folder>",
      "write design.yaml, mapping.yaml and binding.yaml, which every command takes, into this folder",
    )
    .option("--resume <file>", "keep finished steps of the search in this file, and continue from those it has")
    .addOption(settingsOption());
  accountingOptions(workingOptions(command))
    .option("--json", "print the result as JSON (fusemax.map/1), and nothing else, on stdout")
    .addHelpText("after", examples)
    .action(async (options: MapOptions) => {
      const { runMap } = await import("../map/map.js");
      await runMap(options);
    });
}

const examples = `
Examples:
  fusemax map --design fusemax --model bert --seq 64K --out found
  fusemax model --design found/design.yaml --seq 64K --loop-nest
  fusemax map --design flat --seq 256K --objective pareto
  fusemax map --design fusemax --set architecture.levels.buffer.bytes=4M --resume search.steps --jobs 2
  fusemax map --design my-design.yaml --model llama-3-8b --seq 8K --objective edp`;
