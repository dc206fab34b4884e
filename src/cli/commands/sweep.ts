import type { Command } from "commander";
import { arithmeticOption, formatOption } from "../arithmetic.js";
import { accountingOptions, phaseOption, queriesOption } from "../model/options.js";
import { scoreOptions } from "../model/score-terms.js";
import { parsed, parseModelSize, repeated } from "../option.js";
import { shardOption } from "../shard/choice.js";
import type { SweepOptions } from "../sweep/options.js";
import { workingOptions } from "../working.js";

export function register(program: Command): void {
  const command = program
    .command("sweep")
    .description(
      "Model designs over lists or ranges of any numeric fields of their specs, crossed; mark the Pareto front.",
    )
    .option("--design <names...>", "designs of specs/designs or YAML files (default: fusemax)")
    .option("--model <names...>", "workloads of specs/workloads or YAML files (default: bert)")
    .option("--seq <lengths...>", "sequence lengths: 1K,4K,1M, or ranges such as 1K..1M*4 (default: 4K)")
    .addOption(parsed("--batch <n>", "sequences at once (default: the workload's, 64 for the paper's)", parseModelSize))
    .addOption(phaseOption())
    .addOption(queriesOption())
    .addOption(
      repeated(
        "--set <field=values>",
        "a field and its values: a list, or FIRST..LAST with *FACTOR, +STEP or :COUNT",
        (_, text) => text,
      ).default([], "none"),
    )
    .option(
      "--pareto <measures>",
      "what the front is over: less of each is better, of shares more",
      "latencySeconds,energyPj",
    )
    .option("--out <files...>", "write .csv, .json or .svg files, FILE.shard with --shard (default: CSV on stdout)")
    .option("--json", "print the points as JSON (fusemax.sweep/1), and nothing else, on stdout, in place of CSV")
    .option("--resume <file>", "keep finished points in this file, and continue from those it has")
    .addOption(shardOption());
  scoreOptions(command);
  accountingOptions(workingOptions(command))
    .addOption(arithmeticOption())
    .addOption(formatOption())
    .addHelpText("after", examples)
    .action(async (options: SweepOptions) => {
      const { runSweep } = await import("../sweep/sweep.js");
      await runSweep(options);
    });
}

const examples = `
Fields begin with architecture, mapping, binding, technology or workload and follow the YAML:
  architecture.parameters.D, architecture.levels.buffer.bytes, architecture.frequencyHz,
  architecture.arrays.1d.operations.divide, technology.operations.mac.energyPj, workload.headDim

Examples:
  fusemax sweep --set architecture.parameters.D=16..512*2 --model bert,xlm --seq 256K
  fusemax sweep --design fusemax,flat --seq 1K..1M*2 --set architecture.levels.buffer.bytes=4M..64M*2 \\
                --out buffers.csv buffers.svg --pareto latencySeconds,areaUm2
  fusemax sweep --model llama-3-8b --phase decode --seq 128K --set architecture.parameters.columns=4..256*4 \\
                --set architecture.parameters.rows=64..1K*2 --pareto latencySeconds,areaUm2
  fusemax sweep --set workload.headDim=16..256+1 --set architecture.frequencyHz=100e6..2e9:200 \\
                --out big.csv --resume big.points
  fusemax sweep --set workload.headDim=16..256+1 --shard 3/8 --out big-3.shard    # and so on, then
  fusemax merge big-*.shard --out big.csv`;
