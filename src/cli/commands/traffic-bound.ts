import type { Command } from "commander";
import { arithmeticOption, formatOption } from "../arithmetic.js";
import type { TrafficBoundOptions } from "../cascades/traffic-bound.js";
import { maskOptions } from "../model/masking.js";
import { accountingOptions, phaseOption, queriesOption } from "../model/options.js";
import { parsed, parseModelSize } from "../option.js";
import { parseSize } from "../values.js";

export function register(program: Command): void {
  const command = program
    .command("traffic-bound")
    .description(
      "Least DRAM traffic that each attention cascade implies for a buffer, beside what designs are modelled to move.",
    )
    .option("--model <name>", "a workload of specs/workloads or a YAML file", "bert")
    .option("--seq <lengths...>", "sequence lengths, queries = keys (default: 1K to 1M)")
    .addOption(parsed("--batch <n>", "sequences at once (default: the workload's, 64 for the paper's)", parseModelSize))
    .addOption(phaseOption())
    .addOption(queriesOption())
    .addOption(arithmeticOption())
    .addOption(formatOption());
  maskOptions(command)
    .addOption(
      parsed("--buffer <bytes>", "one buffer for all, such as 16M (default: each design's own)", (option, text) =>
        parseSize(option, text.replace(/i?B$/i, "")),
      ),
    )
    .option("--cascade <names...>", "cascades with ranks M and P (default: the four of attention)")
    .option("--design <names...>", "designs to model beside the bounds (default: flat, fusemax)");
  accountingOptions(command)
    .option("--chart <file>", "draw the chart as SVG")
    .option("--json", "print the numbers as JSON (fusemax.traffic-bound/1), and nothing else, on stdout")
    .option("--csv", "print the numbers as CSV, bytes")
    .addHelpText(
      "after",
      `
Examples:
  fusemax traffic-bound --chart bound.svg
  fusemax traffic-bound --model xlm --seq 64K,1M --buffer 32M`,
    )
    .action(async (options: TrafficBoundOptions) => {
      const { runTrafficBound } = await import("../cascades/traffic-bound.js");
      await runTrafficBound(options);
    });
}
