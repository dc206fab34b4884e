import type { Command } from "commander";
import { parsed, parseModelSize } from "../option.js";
import { listOf, machineOptions, parseLag, parsePorts, type ScheduleOptions } from "../schedule/options.js";
import { parseWords } from "../values.js";

const names = (option: string, text: string): readonly string[] => parseWords(option, [text]);

export function register(program: Command): void {
  const command = program
    .command("schedule")
    .description("Simulate designs cycle by cycle and set them beside what their bindings say.")
    .addOption(
      parsed("--design <list>", "designs; one that names no schedule works on one tile at a time", names).default(
        ["fusemax"],
        "fusemax",
      ),
    )
    .addOption(parsed("--model <list>", "models of specs/workloads, or YAML files", names).default(["bert"], "bert"))
    .addOption(
      parsed("--seq <list>", "queries and keys, such as 1K,4K,1M", listOf(parseModelSize)).default([4096], "4K"),
    )
    .addOption(
      parsed("--ports <list>", "rows the global buffer reads per cycle, such as 1,2,unlimited", listOf(parsePorts)),
    );
  command.addOption(
    parsed(
      "--lag <list>",
      "lags of the letters that are auto (default: the best, found by simulation)",
      listOf(parseLag),
    ),
  );
  machineOptions(command);
  command
    .option("--json", "print the results as JSON (fusemax.schedule/2), and nothing else, on stdout")
    .addHelpText("after", examples)
    .action(async (options: ScheduleOptions) => {
      const { reportSchedules } = await import("../schedule/report.js");
      await reportSchedules(options);
    });
}

const examples = `
Examples:
  fusemax schedule --design fusemax,architecture --model bert,xlm --seq 1K,4K,16K,64K,256K,1M
  fusemax schedule --ports 1,2,3,unlimited --memory ideal
  fusemax schedule --design unfused,flat,cascade --model llama-3-8b --seq 8K
  fusemax schedule --model gemma-2-9b --phase decode --seq 32K --batch 1
  fusemax schedule --schedule figure-4 --model bert,xlm --memory ideal`;
