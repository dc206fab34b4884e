import type { Command, Option } from "commander";
import { layouts } from "../../attention/layout.js";
import { largestHeadDim } from "../../numerics/limits.js";
import { arithmeticOption, formatOption } from "../arithmetic.js";
import { parseMask } from "../mask/choice.js";
import { parsed, repeated } from "../option.js";
import { parseLengths, parseName, parseNumber, parseSeed, parseSize, parseTile, parseWindow } from "../values.js";
import { workingOptions } from "../working.js";
import { parseDtypes, parseNames } from "./input-files.js";
import { engineChoices } from "./options.js";
import { parseSlopes } from "./score-files.js";

/** The options of an attention: sizes, mask and what is done to its scores. */
export const attentionOptions = (command: Command): Command =>
  command
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
    .option(
      "--alibi",
      "linear biases by distance (ALiBi), one slope per head, in both directions unless the mask is causal",
    )
    .addOption(parsed("--alibi-slopes <list>", "its slopes, one per query head: 0.5,0.25 or a file", parseSlopes))
    .option("--sink <file>", "a logit of each query head that takes part in its softmax");

/** The options that name an attention's inputs, or say how they are generated. */
export const inputOptions = (command: Command): Command =>
  command
    .optionsGroup("Input:")
    .option("--q <file>", "Q [B,H,P,E] as .npy: floats of 16 to 64 bits, bfloat16, signed integers")
    .option("--k <file>", "K [B,Hkv,M,E] as .npy")
    .option("--v <file>", "V [B,Hkv,M,F] as .npy")
    .option(
      "--input <file>",
      "a .npz or .safetensors file with q, k and v, or the .safetensors.index.json of a sharded one; mask, bias, sink, scale and softcap beside them are taken too",
    )
    .addOption(
      parsed(
        "--names <list>",
        "tensors of --input, as q=NAME,k=NAME,v=NAME (default: q, k, v, else the one such as layers.3.q or query)",
        parseNames,
      ),
    )
    .addOption(
      parsed("--dtype <list>", "what unsigned integers are the bits of, as q=bf16,k=bf16,v=f8_e4m3", parseDtypes),
    )
    .addOption(
      oneOf("--layout <name>", layouts, "ranks of files, [B,H,S,D] by default; bsd is [B,S,HxD] and needs --heads: "),
    )
    .option("--past-k <file>", "a cache's keys [B,Hkv,Mp,E], before those of K; with --past-v")
    .option("--past-v <file>", "its values [B,Hkv,Mp,F]")
    .addOption(parsed("--seed <n>", "seed of the normal inputs made when no file is given (default: 0)", parseSeed))
    .addOption(number("--spread <x>", "multiply the generated scores' spread (default: 1)", "0 to 2^40", 0, 2 ** 40));

/** The options of what computes it. */
export const machineOptions = (command: Command): Command =>
  workingOptions(
    command
      .optionsGroup("Machine:")
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
        parsed(
          "--kv-splits <n>",
          "cut the key tiles into n runs that are merged at the end, as split-KV kernels do (default: 1)",
          (name, text) => parseSize(name, text, Number.MAX_SAFE_INTEGER, "2 or 8"),
        ),
      )
      .addOption(oneOf("--engine <name>", engineChoices).default("auto")),
  );

export const size = (flags: string, words: string, most?: number): Option =>
  parsed(flags, words, (name, text) => parseSize(name, text, most));

export const number = (flags: string, words: string, range: string, least: number, most: number): Option =>
  parsed(flags, words, (name, text) => parseNumber(name, text, `a number from ${range}`, least, most));

export const oneOf = (flags: string, names: readonly string[], words = ""): Option =>
  parsed(flags, words + names.join(", "), (name, text) => parseName(name, text, names));
