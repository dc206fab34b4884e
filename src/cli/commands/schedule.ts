import type { Command } from "commander";
import { parsed, parseModelSize } from "../option.js";
import { listOf, machineOptions, parseLag, parsePorts, type ScheduleOptions } from "../schedule/options.js";
import { parseWords } from "../values.js";

const names = (option: string, text: string): readonly string[] => parseWords(option, [text]);

export function register(program: Command): void {
  const command = program
    .command("schedule")
    .description("Simulate designs cycle by cycle and set them beside the paper's latency and utilization.")
    .addOption(parsed("--design <list>", "designs that have a schedule", names).default(["fusemax"], "fusemax"))
    .addOption(parsed("--model <list>", "models of specs/workloads, or YAML files", names).default(["bert"], "bert"))
    .addOption(
      parsed("--seq <list>", "queries and keys, such as 1K,4K,1M", listOf(parseModelSize)).default([4096], "4K"),
    )
    .addOption(
      parsed("--ports <list>", "rows the global buffer reads a cycle, such as 1,2,unlimited", listOf(parsePorts)),
    );
  command.addOption(
    parsed(
      "--lag <list>",
      "lags of the letters that are auto (default: the best, found by simulation)",
      listOf(parseLag),
    ),
  );
  for (const option of machineOptions()) command.addOption(option);
  command
    .option("--json", "print the results as JSON (fusemax.schedule/1), and nothing else, on stdout")
    .addHelpText("after", examples)
    .action(async (options: ScheduleOptions) => {
      const { reportSchedules } = await import("../schedule/report.js");
      reportSchedules(options);
    });
}

const examples = `
Examples:
  fusemax schedule --design fusemax,architecture --model bert,xlm --seq 1K,4K,16K,64K,256K,1M
  fusemax schedule --ports 1,2,3,unlimited --memory ideal
  fusemax schedule --schedule figure-4 --model bert,xlm --memory ideal`;
