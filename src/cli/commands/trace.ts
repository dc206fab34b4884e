import type { Command } from "commander";
import { parsed, parseModelSize } from "../option.js";
import { machineOptions, parseLag, parsePorts, parseRange, type TraceOptions } from "../schedule/options.js";
import { parseName } from "../values.js";

export function register(program: Command): void {
  const command = program
    .command("trace")
    .description("Draw what both arrays do, epoch by epoch: a trace for Perfetto, a waterfall, or the PEs themselves.")
    .option("--design <name>", "a design that works tile by tile", "fusemax")
    .option("--model <name>", "a model of specs/workloads, or a YAML file", "bert")
    .addOption(parsed("--seq <n>", "queries and keys", parseModelSize).default(4096, "4K"))
    .option("--layers <kind>", "which layers, where a model's are of several kinds (such as local, global)")
    .addOption(parsed("--epochs <a..b>", "epochs to draw (default: 0..7)", parseRange))
    .requiredOption("--out <file...>", "what to write: .json a Chrome trace, .svg a drawing")
    .addOption(parsed("--ports <n>", "rows the global buffer reads per cycle (default: the design's)", parsePorts))
    .addOption(
      parsed("--pe [style]", "draw the PEs cycle by cycle, up to 8 x 8: strip or animated", (option, text) =>
        parseName(option, text, ["strip", "animated"]),
      ).preset("strip"),
    )
    .addOption(parsed("--cycles <a..b>", "with --pe: cycles to draw (default: 0..11)", parseRange));
  command.addOption(
    parsed("--lag <n>", "the lag of the letters that are auto (default: the best, found by simulation)", parseLag),
  );
  machineOptions(command);
  command.addHelpText("after", examples).action(async (options: TraceOptions) => {
    const { traceSchedule } = await import("../schedule/trace.js");
    await traceSchedule(options);
  });
}

const examples = `
Examples:
  fusemax trace --design fusemax --model bert --seq 4K --epochs 40..44 --out trace.json waterfall.svg
  fusemax trace --design architecture --model bert --seq 4K --epochs 0..2 --out waterfall.svg
  fusemax trace --array 2x2 --head-dim 4 --seq 8 --pe --cycles 0..11 --out pes.svg

Open trace.json in https://ui.perfetto.dev; one microsecond there is one cycle.`;
