import type { Command } from "commander";
import type { EvaluateOptions } from "../evaluate/options.js";
import { parsed, repeated } from "../option.js";
import { engineChoices } from "../run/options.js";
import { parseName, parseNumber, parseSeed } from "../values.js";
import { workingOptions } from "../working.js";

export function register(program: Command): void {
  const command = program
    .command("evaluate")
    .description("Compute any cascade of Einsums on your tensors, in float64 or in the arithmetic of the PEs.")
    .argument("<cascade>", "a file, or a cascade of the library (fusemax passes lists it)")
    .optionsGroup("Input:")
    .option("--input <file>", "a .npz or .safetensors file that holds tensors by their names in the text")
    .addOption(
      repeated(
        "--tensor <name=file>",
        'one tensor from a .npy file, or from a .npz or .safetensors file; "K[m,e]=k.npy" names the axes as the file has them (repeatable)',
        (_, text) => text,
      ),
    )
    .addOption(parsed("--seed <n>", "seed of the normal inputs made where none is given (default: 0)", parseSeed))
    .option("--shape <sizes>", "sizes of ranks that the inputs do not fix, such as M=4096,M0=256")
    .optionsGroup("Arithmetic:")
    .option(
      "--arithmetic <name>",
      "float64, or that of PEs: a name of specs/arithmetic, such as bf16 or hopper-fp8, or a .yaml file",
      "float64",
    )
    .addOption(
      parsed("--scale <x>", "exp(x) is e^(scale * x) (default: 1)", (option, text) =>
        parseNumber(option, text, "a number", -Number.MAX_VALUE, Number.MAX_VALUE),
      ),
    )
    .addOption(
      parsed(
        "--engine <name>",
        "interpreter (golden), or an engine of run for attention's output in PE arithmetic, to the same bits: auto, webgpu, wasm, cpu",
        (option, text) => parseName(option, text, ["interpreter", ...engineChoices] as const),
      ).default("interpreter"),
    )
    .optionsGroup("Output:")
    .option(
      "--write <names>",
      'tensors to report and write: names, "AV[p,f]" for an order of the axes, all (default: those that no Einsum reads)',
    )
    .option("--output <file>", "write them to a .npz, .safetensors or .npy (one tensor) file")
    .option("--json", "print the result as JSON (fusemax.evaluate/1), and nothing else, on stdout");
  workingOptions(command)
    .addHelpText(
      "after",
      `
Examples:
  fusemax evaluate layer-norm --shape D=512,P=16
  fusemax evaluate attention-3-pass --input qkv.safetensors --arithmetic bf16 --scale 0.125 --output av.npz
  fusemax evaluate attention-1-pass --tensor "Q[p,e]=q.npy" --tensor "K[m,e]=k.npy" --tensor "V[m,f]=v.npy" \\
    --shape M0=64 --write "AV[p,f],RM" --output out.safetensors
  fusemax evaluate attention-2-pass --shape M=4K,M0=256,P=1K,E=64,F=64 --scale 0.125 --arithmetic bf16 --engine wasm
  fusemax evaluate mine.cascade --seed 7 --shape M=1K --json

The language, and what the arithmetic of the PEs has, is described in docs/cascades.md.
Exit codes: 0 done, 2 bad input or a value out of range; 130, 143, 129 ended by Ctrl-C, SIGTERM, SIGHUP.`,
    )
    .action(async (cascade: string, options: EvaluateOptions) => {
      const { evaluate } = await import("../evaluate/evaluate.js");
      await evaluate(cascade, options);
    });
}
