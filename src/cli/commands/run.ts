import { type Command, Option } from "commander";
import { layouts } from "../../attention/layout.js";
import { largestHeadDim } from "../../numerics/limits.js";
import { arithmeticOption, formatOption } from "../arithmetic.js";
import { parseMask } from "../mask/choice.js";
import { accountingOptions } from "../model/options.js";
import { parsed } from "../option.js";
import { parseDtypes, parseNames } from "../run/input-files.js";
import { engineChoices, type RunOptions } from "../run/options.js";
import { parseSlopes } from "../run/score-files.js";
import { parseScores } from "../run/scores-option.js";
import {
  parseCheck,
  parseLengths,
  parseName,
  parseNumber,
  parseSeed,
  parseSize,
  parseTile,
  parseTileCoordinates,
  parseWindow,
} from "../values.js";

export function register(program: Command): void {
  const command = program
    .command("run")
    .description("Emulate attention on a design bit for bit, check it against float64, and say what it costs.")
    .optionsGroup("Workload:")
    .option("--model <name>", "heads, widths and mask of a model of specs/workloads, such as bert or llama-3-8b")
    .addOption(size("--batch <n>", "batches (default: 1)"))
    .addOption(size("--heads <n>", "query heads (default: the model's, else 1)"))
    .addOption(size("--kv-heads <n>", "key/value heads, a divisor of --heads (default: the model's, else --heads)"))
    .addOption(size("--head-dim <n>", "width E of queries and keys (default: the model's, else 64)", largestHeadDim))
    .addOption(size("--value-dim <n>", "width F of values (default: the model's, else --head-dim)"))
    .addOption(size("--seq <n>", "queries and keys: 4096, 4K, 1M (default: 1024)"))
    .addOption(size("--q-len <n>", "queries P, in place of --seq"))
    .addOption(size("--kv-len <n>", "keys M, in place of --seq"))
    .addOption(number("--scale <x>", "factor of the scores (default: 1/sqrt(E))", "2^-12 to 2^12", 2 ** -12, 2 ** 12))
    .optionsGroup("Mask:")
    .option("--causal", "query p sees keys m <= p + M - P only: the last query sees all (default: as the model does)")
    .option("--no-causal", "queries see later keys too, whatever the model does")
    .addOption(
      parsed(
        "--window <l,r>",
        "keys seen left and right of a query's own place, -1: unbounded (default: the model's)",
        parseWindow,
      ),
    )
    .addOption(parsed("--q-lens <list>", "queries of each batch, such as 100,4K", parseLengths))
    .addOption(parsed("--kv-lens <list>", "keys of each batch", parseLengths))
    .addOption(
      repeated(
        "--mask <mask>",
        "causal, causal:top-left, window:l,r, prefix:n, document:LENGTHS, blocks:FILE,SIZE or a .npy or .safetensors file of truth values that broadcasts to [B,H,P,M]; may be given again: all masks intersect",
        parseMask,
      ),
    )
    .addOption(parsed("--left-pad <list>", "keys of each batch that are padding in front", parseLengths))
    .optionsGroup("Scores:")
    .addOption(
      number("--softcap <x>", "cap scores at x by tanh (default: the model's)", "2^-24 to 2^24", 2 ** -24, 2 ** 24),
    )
    .option("--bias <file>", "what is added to scores after the scale, broadcast to [B,H,P,M]; -inf hides a key")
    .option("--alibi", "linear biases by distance (ALiBi), a slope a head, either way unless the mask is causal")
    .addOption(parsed("--alibi-slopes <list>", "its slopes, one a query head: 0.5,0.25 or a file", parseSlopes))
    .option("--sink <file>", "a logit of each query head that takes part in its softmax")
    .optionsGroup("Input:")
    .option("--q <file>", "Q [B,H,P,E] as .npy: floats of 16 to 64 bits, bfloat16, signed integers")
    .option("--k <file>", "K [B,Hkv,M,E] as .npy")
    .option("--v <file>", "V [B,Hkv,M,F] as .npy")
    .option(
      "--input <file>",
      "a .npz or .safetensors file with q, k and v, or the .safetensors.index.json of a sharded one",
    )
    .addOption(
      parsed(
        "--names <list>",
        "tensors of --input, as q=NAME,k=NAME,v=NAME (default: q, k, v, else the one such as layers.3.q or query)",
        parseNames,
      ),
    )
    .option(
      "--every-layer",
      "run each attention of --input, such as layers.0.q to layers.31.v, and print a row for each",
    )
    .addOption(
      parsed("--dtype <list>", "what unsigned integers are the bits of, as q=bf16,k=bf16,v=f8_e4m3", parseDtypes),
    )
    .addOption(
      oneOf("--layout <name>", layouts, "ranks of files, [B,H,S,D] by default; bsd is [B,S,HxD] and needs --heads: "),
    )
    .option(
      "--onnx <file>",
      "a model of ONNX that is one Attention node; its test data are the inputs, and are compared with",
    )
    .option(
      "--onnx-data <folder>",
      "its test data: input_0.pb, output_0.npy, NAME.npy, .npz (default: test_data_set_0)",
    )
    .option("--past-k <file>", "a cache's keys [B,Hkv,Mp,E], before those of K; with --past-v")
    .option("--past-v <file>", "its values [B,Hkv,Mp,F]")
    .option("--q-scale <file>", "scales of q, whose values are operands then (default: q_scale beside q in --input)")
    .option("--k-scale <file>", "scales of k; shapes by kind of scale: docs/arithmetic.md")
    .option("--v-scale <file>", "scales of v")
    .addOption(parsed("--seed <n>", "seed of the normal inputs made when no file is given (default: 0)", parseSeed))
    .addOption(number("--spread <x>", "multiply the generated scores' spread (default: 1)", "0 to 2^40", 0, 2 ** 40))
    .optionsGroup("Machine:")
    .option("--design <name>", "whose cascade and tiles are emulated: a design's name or .yaml file", "fusemax")
    .option("--cascade <file>", "a cascade in the place of the design's: a name of the library or a file")
    .addOption(
      parsed(
        "--array <rowsxcols>",
        "processing elements: keys down, queries across (default: the design's, 256x256)",
        parseTile,
      ),
    )
    .addOption(arithmeticOption())
    .addOption(formatOption())
    .addOption(
      size(
        "--kv-splits <n>",
        "cut the key tiles into n runs that are merged at the end, as split-KV kernels do (default: 1)",
      ),
    )
    .addOption(oneOf("--engine <name>", engineChoices).default("auto"))
    .optionsGroup("Cost:");
  accountingOptions(command)
    .optionsGroup("Output:")
    .option("--output <file>", "write AV as fp32 to a .npy or .safetensors file")
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
    .option("--resume <file>", "keep finished rows in this file, and go on from what it holds")
    .option("--json", "print the result as JSON (fusemax.run/1), and nothing else, on stdout")
    .addHelpText("after", examples)
    .action(async (options: RunOptions) => {
      const { run } = await import("../run/run.js");
      process.exitCode = await run(options);
    });
}

/** An option that may be given again; its values are gathered. */
const repeated = <T>(flags: string, words: string, parse: (option: string, text: string) => T): Option => {
  const name = flags.split(" ")[0] ?? flags;
  return new Option(flags, words).argParser((text, before: readonly T[] = []) => [...before, parse(name, text)]);
};

const size = (flags: string, words: string, most?: number): Option =>
  parsed(flags, words, (name, text) => parseSize(name, text, most));

const number = (flags: string, words: string, range: string, least: number, most: number): Option =>
  parsed(flags, words, (name, text) => parseNumber(name, text, `a number from ${range}`, least, most));

const oneOf = (flags: string, names: readonly string[], words = ""): Option =>
  parsed(flags, words + names.join(", "), (name, text) => parseName(name, text, names));

const examples = `
Examples:
  fusemax run --model bert --seq 1K
  fusemax run --seq 4K --heads 8 --kv-heads 2 --causal --format bf16-strict
  fusemax run --q q.npy --k k.npy --v v.npy --output av.npy --json
  fusemax run --seq 4K --design flat
  fusemax run --seq 4K --arithmetic fa4-fp8 --kv-splits 4
  fusemax run --q-len 300 --kv-len 777 --dump-tile 0,0,2,1 --dump tile.safetensors

Exit codes: 0 done, 1 --max-error exceeded, 2 bad input or no engine; 130, 143, 129 ended by Ctrl-C, SIGTERM, SIGHUP.`;
