import type { Command } from "commander";
import type { InvarianceOptions } from "../invariance/run-invariance.js";
import { attentionOptions, inputOptions, machineOptions } from "../run/command-options.js";

export function register(program: Command): void {
  const command = program
    .command("invariance")
    .description(
      "Compute one attention in other ways that are the same in exact arithmetic, and say which of them change bits: engines, queries and keys per tile, batches cut, keys split, their order.",
    );
  attentionOptions(command);
  inputOptions(command);
  machineOptions(command)
    .optionsGroup("Output:")
    .option("--json", "print the result as JSON (fusemax.invariance/1), and nothing else, on stdout")
    .addHelpText("after", examples)
    .action(async (options: InvarianceOptions) => {
      const { runInvariance } = await import("../invariance/run-invariance.js");
      process.exitCode = await runInvariance(options);
    });
}

const examples = `
Without sizes and files: --batch 2 --heads 4 --kv-heads 2 --seq 128. The array is 32x32 where none is given.

Examples:
  fusemax invariance
  fusemax invariance --model gemma-2-9b --seq 128 --format bf16-strict
  fusemax invariance --q q.npy --k k.npy --v v.npy --causal --arithmetic fa3-fp8 --json

Exit codes: 0 done, 2 bad input or no engine; 130, 143, 129 ended by Ctrl-C, SIGTERM, SIGHUP.`;
