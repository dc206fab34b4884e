import type { Command } from "commander";

export function register(program: Command): void {
  program
    .command("taxonomy")
    .description(
      "The paper's Table I, computed: passes, footprint and operations of each attention algorithm, and who uses it.",
    )
    .option("--shape <sizes>", "sizes of ranks, such as M=4K,M0=256,P=4K,E=64,F=64: adds numbers")
    .option("--json", "print the rows as JSON (fusemax.taxonomy/1), and nothing else, on stdout")
    .action(async (options: { readonly shape?: string; readonly json?: true }) => {
      const { cascadeNames, loadCascade } = await import("../../io/cascade-files.js");
      const { taxonomy, taxonomyText } = await import("../../report/taxonomy.js");
      const { jsonText } = await import("../../report/finite.js");
      const { parseShape } = await import("../../einsum/shape.js");
      const rows = taxonomy(
        cascadeNames().map(loadCascade),
        options.shape === undefined ? {} : parseShape(options.shape),
      );
      const json = { schema: "fusemax.taxonomy/1", algorithms: rows };
      process.stdout.write(options.json === true ? jsonText(json) : taxonomyText(rows));
    });
}
