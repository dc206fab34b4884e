import type { Command } from "commander";
import { parsed } from "../option.js";
import { parseNumber, parseSeed, parseSize } from "../values.js";

/** What is said of each is kept. */
const mostTrials = 100_000;

export function register(program: Command): void {
  program
    .command("equal")
    .description(
      "Run two cascades on random and adversarial inputs: the largest difference, or the first input where they differ.",
    )
    .argument("<a>", "a file, or a cascade of the library")
    .argument("<b>", "another")
    .option("--shape <sizes>", "sizes of ranks, such as M=64,M0=16; the others are chosen small")
    .addOption(
      parsed("--trials <n>", "random inputs, beside the adversarial ones (default: 8)", (option, text) =>
        parseSize(option, text, mostTrials),
      ),
    )
    .addOption(parsed("--seed <n>", "seed of the inputs (default: 1)", parseSeed))
    .addOption(
      parsed(
        "--tolerance <x>",
        "largest difference that counts as equal, relative to the largest value (default: 1e-9)",
        (option, text) => parseNumber(option, text, "a number from 0", 0, Number.MAX_VALUE),
      ),
    )
    .addOption(
      parsed("--scale <x>", "exp(x) is e^(scale * x) (default: 1)", (option, text) =>
        parseNumber(option, text, "a number", -Number.MAX_VALUE, Number.MAX_VALUE),
      ),
    )
    .option(
      "--arithmetic <name>",
      "float64, or that of PEs: a name of specs/arithmetic, such as bf16 or hopper-fp8, or a .yaml file",
      "float64",
    )
    .option("--json", "print the result as JSON (fusemax.equal/1), and nothing else, on stdout")
    .addHelpText(
      "after",
      `
Exits with 1 when the cascades differ.

Examples:
  fusemax equal attention-3-pass attention-1-pass --shape M=64,M0=16,P=8,E=16,F=16
  fusemax equal cascade-1 cascade-3
  fusemax equal softmax mine.txt --shape M=1000`,
    )
    .action(async (a: string, b: string, options: EqualCommand) => {
      const { loadCascade } = await import("../../io/cascade-files.js");
      const { compareCascades } = await import("../../einsum/equal.js");
      const { equalJson, equalText } = await import("../../report/equal.js");
      const { jsonText } = await import("../../report/finite.js");
      const { arithmeticChoice } = await import("../arithmetic-choice.js");
      const { parseShape } = await import("../../einsum/shape.js");
      const { shape, json, arithmetic, ...rest } = options;
      const report = compareCascades(loadCascade(a), loadCascade(b), {
        ...rest,
        format: arithmeticChoice(arithmetic),
        ...(shape === undefined ? {} : { shape: parseShape(shape) }),
      });
      process.stdout.write(json === true ? jsonText(equalJson(report)) : equalText(report));
      process.exitCode = report.equal ? 0 : 1;
    });
}

interface EqualCommand {
  readonly shape?: string;
  readonly trials?: number;
  readonly seed?: number;
  readonly tolerance?: number;
  readonly scale?: number;
  readonly arithmetic: string;
  readonly json?: true;
}
