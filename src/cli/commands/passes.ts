import type { Command } from "commander";
import { needs } from "../conflict.js";
import { parsed } from "../option.js";
import { parseSize } from "../values.js";

/** An element is a number: more bytes are a slip of the pen. */
const mostElementBytes = 1024;

export function register(program: Command): void {
  program
    .command("passes")
    .description("Count the passes that a cascade of Einsums makes over each rank, on any mapping, and say why.")
    .argument("[cascade]", "a file, or a cascade of the library; without it the library is listed")
    .option("--rank <name>", "one rank (default: all)")
    .option("--shape <sizes>", "sizes of ranks, such as M=4096,P=1K: adds bytes and numbers of operations")
    .addOption(
      parsed("--element-bytes <n>", "bytes of an element (default: 2, the paper's 16 bits)", (option, text) =>
        parseSize(option, text, mostElementBytes, "2 or 4"),
      ),
    )
    .option("--json", "print the analysis as JSON (fusemax.passes/1), and nothing else, on stdout")
    .addHelpText(
      "after",
      `
Examples:
  fusemax passes attention-3-pass --rank M
  fusemax passes attention-1-pass --shape M=64K,M0=256,P=64K,E=64,F=64
  fusemax passes mine.txt --json

The language is described in docs/cascades.md.`,
    )
    .action(async (name: string | undefined, options: PassesCommand) => {
      refuseUnused(name, options);
      const { cascadeNames, loadCascade } = await import("../../io/cascade-files.js");
      if (name === undefined) return listLibrary(cascadeNames().map(loadCascade), options.json === true);
      const { passesReport, passesText } = await import("../../report/passes.js");
      const { jsonText } = await import("../../report/finite.js");
      const { parseShape } = await import("../../einsum/shape.js");
      const cascade = loadCascade(name);
      const report = passesReport(cascade, {
        ...(options.rank === undefined ? {} : { rank: options.rank }),
        ...(options.shape === undefined ? {} : { shape: parseShape(options.shape) }),
        ...(options.elementBytes === undefined ? {} : { elementBytes: options.elementBytes }),
      });
      process.stdout.write(options.json === true ? jsonText(report) : passesText(cascade, report));
    });
}

interface PassesCommand {
  readonly rank?: string;
  readonly shape?: string;
  readonly elementBytes?: number;
  readonly json?: true;
}

/** Options that would be taken without effect. @throws UsageError */
function refuseUnused(name: string | undefined, { rank, shape, elementBytes }: PassesCommand): void {
  const given = Object.entries({ "--rank": rank, "--shape": shape, "--element-bytes": elementBytes });
  const unused = name === undefined ? given.find(([, value]) => value !== undefined) : undefined;
  if (unused !== undefined) {
    throw needs(unused[0], "a cascade: a file, or a name of the library");
  }
  if (elementBytes !== undefined && shape === undefined) {
    throw needs("--element-bytes", "--shape M=4096,P=1K,...");
  }
}

async function listLibrary(
  cascades: readonly { readonly name: string; readonly headers: ReadonlyMap<string, string> }[],
  json: boolean,
): Promise<void> {
  const rows = cascades.map(({ name, headers }) => [name, headers.get("title") ?? "", headers.get("source") ?? ""]);
  if (json) {
    const list = rows.map(([name, title, source]) => ({ name, title, source }));
    process.stdout.write(`${JSON.stringify({ schema: "fusemax.cascades/1", cascades: list })}\n`);
    return;
  }
  const { textTable } = await import("../../report/table.js");
  process.stdout.write(`${textTable({ columns: ["cascade", "title", "source"], rows: rows as string[][] })}\n`);
}
