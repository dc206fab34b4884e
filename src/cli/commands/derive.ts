import { writeSync } from "node:fs";
import type { Command } from "commander";
import type { CheckedDerivation } from "../../einsum/derive/check.js";
import type { Measure } from "../../einsum/derive/measure.js";
import { UsageError } from "../../errors.js";
import { onInterrupt } from "../interrupt.js";
import { startProgress } from "../progress.js";

/** No search takes longer. */
const mostMilliseconds = 8000;
/** How long Ctrl-C may go unheard. */
const turnMilliseconds = 50;

export function register(program: Command): void {
  program
    .command("derive")
    .description(
      "Rewrite a cascade by laws that keep its function, to the fewest passes over a rank, and show each step.",
    )
    .argument("<cascade>", "a file, or a cascade of the library")
    .requiredOption("--rank <name>", "the rank that is to be passed less often")
    .option("--tile <name>", "what the inner part is called where the rank is split (default: the rank's name and 0)")
    .option("--out <file>", "write the best to this .cascade file")
    .option("--why-not", "list the laws that do not apply to the best, with the reasons")
    .option("--json", "print the steps as JSON (fusemax.derive/1), and nothing else, on stdout")
    .addHelpText(
      "after",
      `
Exits with 1, and writes nothing, where no fewer passes were found.

Examples:
  fusemax derive attention-3-pass --rank M
  fusemax derive attention-3-pass --rank M --out mine.cascade
  fusemax derive softmax --rank M --why-not

The laws are described in docs/derive.md.`,
    )
    .action(async (name: string, options: DeriveCommand) => {
      const { loadCascade } = await import("../../io/cascade-files.js");
      const { deriveOver } = await import("../../einsum/derive/search.js");
      const { derivationChecker } = await import("../../einsum/derive/check.js");
      const { deriveJson, deriveText, lowersPasses } = await import("../../report/derive.js");
      const { jsonText } = await import("../../report/finite.js");
      const { noSuchRank } = await import("../../einsum/shape.js");
      const { requireOwnPaths } = await import("../output-files.js");
      const { writeAtomically } = await import("../../io/atomic-write.js");
      const cascade = loadCascade(name);
      const rank = cascade.ranks.byName(options.rank);
      if (rank === undefined) throw noSuchRank(cascade, options.rank, "--rank");
      if (options.tile !== undefined) requireTile(options.tile);
      requireOwnPaths([], options.out === undefined ? {} : { "--out": options.out });
      const text = (found: CheckedDerivation): string =>
        options.json === true
          ? jsonText(deriveJson(found, cascade.name))
          : deriveText(found, cascade.name, options.whyNot === true);

      const { defaultBudget } = await import("../../einsum/derive/search.js");
      const progress = await startProgress("deriving", "cascades", defaultBudget, options.json === true);
      const began = performance.now();
      const check = derivationChecker();
      let turn = began;
      let shown: Measure | null = null;
      let bestSoFar = "";
      // A thread that ends leaves what it has given its stream.
      const forget = onInterrupt(() => writeSync(1, bestSoFar));
      const found = await deriveOver(cascade, rank, {
        ...(options.tile === undefined ? {} : { tile: options.tile }),
        onCascade: async (seen, best, soFar) => {
          const now = performance.now();
          if (now - turn > turnMilliseconds) {
            if (best !== shown) bestSoFar = text(check(soFar()));
            shown = best;
            progress.update(seen);
            await new Promise(done => setImmediate(done)); // a signal is heard here
            turn = performance.now();
          }
          return now - began < mostMilliseconds;
        },
      });
      progress.stop();
      const checked = check(found);
      forget();
      process.stdout.write(text(checked));
      if (!lowersPasses(checked)) {
        process.exitCode = 1;
        return;
      }
      const last = checked.steps.at(-1)?.cascade.source.lines.join("\n") ?? "";
      if (options.out !== undefined) {
        await writeAtomically(options.out, [new TextEncoder().encode(last.endsWith("\n") ? last : `${last}\n`)]);
      }
    });
}

/** A rank's name is a letter, letters and digits. @throws UsageError */
function requireTile(tile: string): void {
  if (/^[A-Za-z][A-Za-z0-9]*$/.test(tile)) return;
  throw new UsageError({ where: "--tile", got: tile, expected: "a rank's name, such as M0" });
}

interface DeriveCommand {
  readonly rank: string;
  readonly tile?: string;
  readonly out?: string;
  readonly whyNot?: true;
  readonly json?: true;
}
