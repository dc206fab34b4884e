import type { Command } from "commander";
import { layouts } from "../../attention/layout.js";
import { accountingOptions } from "../model/options.js";
import { parsed } from "../option.js";
import { attentionOptions, inputOptions, machineOptions, number, oneOf } from "../run/command-options.js";
import type { RunOptions } from "../run/options.js";
import { parseScores } from "../run/scores-option.js";
import { shardOption } from "../shard/choice.js";
import { parseCheck, parseTileCoordinates } from "../values.js";

export function register(program: Command): void {
  const command = program
    .command("run")
    .description("Emulate attention on a design bit for bit, check it against float64, and say what it costs.");
  attentionOptions(command);
  inputOptions(command)
    .option(
      "--every-layer",
      "run each attention of --input, such as layers.0.q to layers.31.v, and print a row for each",
    )
    .option(
      "--onnx <file>",
      "a model of ONNX that is one Attention node; its test data are the inputs, and are compared with",
    )
    .option(
      "--onnx-data <folder>",
      "its test data: input_0.pb, output_0.npy, NAME.npy, .npz (default: test_data_set_0)",
    )
    .option("--q-scale <file>", "scales of q, whose values are operands then (default: q_scale beside q in --input)")
    .option("--k-scale <file>", "scales of k; shapes by kind of scale: docs/arithmetic.md")
    .option("--v-scale <file>", "scales of v");
  machineOptions(command)
    .option("--design <name>", "whose cascade and tiles are emulated: a design's name or .yaml file", "fusemax")
    .option("--cascade <file>", "a cascade in the place of the design's: a name of the library or a file")
    .optionsGroup("Cost:");
  accountingOptions(command)
    .optionsGroup("Output:")
    .option("--output <file>", "write AV as fp32 to a .npy or .safetensors file, or FILE.shard with --shard")
    .option("--lse <file>", "write the log-sum-exp of each row's scores, [B,H,P]")
    .addOption(
      parsed(
        "--scores <file>",
        "write scores [B,H,P,M] of a small problem: FILE or FILE,raw|capped|biased|softmax (default: raw)",
        parseScores,
      ),
    )
    .option("--present-k <file>", "write K, with the cache's keys before it, to a .npy or .safetensors file")
    .option("--present-v <file>", "the same of V")
    .addOption(oneOf("--output-layout <name>", layouts, "ranks of AV in --output (default: those of --layout): "))
    .addOption(
      parsed("--check <rows>", "rows compared with float64 attention: full, sample:N or none", parseCheck).default(
        64,
        "sample:64",
      ),
    )
    .addOption(
      number("--max-error <x>", "exit with 1 when the largest absolute error is above x", "0 up", 0, Number.MAX_VALUE),
    )
    .addOption(parsed("--dump-tile <b,h,m1,p1>", "a tile whose every intermediate --dump writes", parseTileCoordinates))
    .option("--dump <file>", "write the tile's intermediates to a .safetensors file")
    .option("--resume <file>", "keep finished rows in this file, and continue from those it has")
    .addOption(shardOption())
    .option("--json", "print the result as JSON (fusemax.run/1), and nothing else, on stdout")
    .addHelpText("after", examples)
    .action(async (options: RunOptions) => {
      const { run } = await import("../run/run.js");
      process.exitCode = await run(options);
    });
}

const examples = `
Examples:
  fusemax run --model bert --seq 1K
  fusemax run --seq 4K --heads 8 --kv-heads 2 --causal --format bf16-strict
  fusemax run --q q.npy --k k.npy --v v.npy --output av.npy --json
  fusemax run --seq 4K --design flat
  fusemax run --seq 4K --arithmetic fa4-fp8 --kv-splits 4
  fusemax run --seq 64K --causal --shard 3/8 --output av-3.shard    # and so on, then fusemax merge av-*.shard --out av.npy
  fusemax run --q-len 300 --kv-len 777 --dump-tile 0,0,2,1 --dump tile.safetensors

Exit codes: 0 done, 1 --max-error exceeded, 2 bad input or no engine; 130, 143, 129 ended by Ctrl-C, SIGTERM, SIGHUP.`;
