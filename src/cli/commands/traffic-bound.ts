import { type Command, Option } from "commander";
import { largestSize } from "../../model/sizes.js";
import type { TrafficBoundOptions } from "../cascades/traffic-bound.js";
import { parseSize } from "../values.js";

export function register(program: Command): void {
  program
    .command("traffic-bound")
    .description(
      "Least DRAM traffic that each attention cascade implies for a buffer, beside what designs are modelled to move.",
    )
    .option("--model <name>", "a workload of specs/workloads or a YAML file", "bert")
    .option("--seq <lengths...>", "sequence lengths, queries = keys (default: 1K to 1M)")
    .addOption(
      new Option("--batch <n>", "sequences at once")
        .argParser(text => parseSize("--batch", text, largestSize))
        .default(64, "64"),
    )
    .addOption(
      new Option("--buffer <bytes>", "one buffer for all, such as 16M (default: each design's own)").argParser(text =>
        parseSize("--buffer", text.replace(/i?B$/i, "")),
      ),
    )
    .option("--cascade <names...>", "cascades with ranks M and P (default: the four of attention)")
    .option("--design <names...>", "designs to model beside the bounds (default: flat, fusemax)")
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
