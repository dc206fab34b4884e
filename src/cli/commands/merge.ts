import type { Command } from "commander";
import type { MergeOptions } from "../shard/merge.js";
import { progressOption } from "../working.js";

export function register(program: Command): void {
  const command = program
    .command("merge")
    .description("Join all shards of a sweep or a run (--shard) to what the command gives without it, byte for byte.")
    .argument("<files...>", "the shards, in any order")
    .option(
      "--out <files...>",
      "of a sweep: .csv, .json or .svg files (default: CSV on stdout); of a run: a .npy or .safetensors file",
    )
    .option("--json", "print what the command's own --json prints");
  progressOption(command)
    .addHelpText("after", examples)
    .action(async (files: readonly string[], options: MergeOptions) => {
      const { merge } = await import("../shard/merge.js");
      process.exitCode = await merge(files, options);
    });
}

const examples = `
Examples:
  fusemax merge big-*.shard --out big.csv
  fusemax merge av-*.shard --out av.npy --json

A file that is there twice, cut short or of another command is named, each in a line, else all shards that are missing; nothing is written then.`;
