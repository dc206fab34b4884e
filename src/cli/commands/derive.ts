import { writeSync } from "node:fs";
import type { Command } from "commander";
import type { Cascade } from "../../einsum/cascade.js";
import type { CheckedAnswer, CheckedDerivation } from "../../einsum/derive/check.js";
import type { Measure } from "../../einsum/derive/measure.js";
import type { Derivation } from "../../einsum/derive/search.js";
import type { Rank } from "../../einsum/ranks.js";
import { UsageError } from "../../errors.js";
import { onInterrupt } from "../interrupt.js";
import { startProgress } from "../progress.js";
import { progressOption } from "../working.js";

/** How long Ctrl-C may go unheard. */
const turnMilliseconds = 50;

export function register(program: Command): void {
  progressOption(program.command("derive"))
    .description(
      "Rewrite a cascade by laws that keep its function, to the fewest passes over a rank, and show each step.",
    )
    .argument("<cascade>", "a file, or a cascade of the library")
    .requiredOption("--rank <name>", "the rank that is to be passed less often")
    .option("--tile <name>", "what the inner part is called where the rank is split (default: the rank's name and 0)")
    .option("--out <file>", "write the best, or the answer that is asked for, to this .cascade file")
    .option("--answer <n>", "show this answer step by step in place of the best, from 1")
    .option("--all", "show all answers step by step")
    .option("--why-not", "list the laws that do not apply to the best, with the reasons")
    .option("--json", "print the steps as JSON (fusemax.derive/1), and nothing else, on stdout")
    .addHelpText(
      "after",
      `
Exits with 1, and writes nothing, where no fewer passes were found.

Examples:
  fusemax derive attention-3-pass --rank M
  fusemax derive attention-3-pass --rank M --out mine.cascade
  fusemax derive attention-3-pass --rank M --answer 3 --out split-keys.cascade
  fusemax derive variance-two-pass --rank K --tile K0
  fusemax derive softmax --rank M --why-not

Ctrl-C ends the search: the best so far is printed, and written. The laws are described in docs/derive.md.`,
    )
    .action(async (name: string, options: DeriveCommand) => {
      const { loadCascade } = await import("../../io/cascade-files.js");
      const { deriveOver } = await import("../../einsum/derive/search.js");
      const { derivationChecker } = await import("../../einsum/derive/check.js");
      const { deriveJson, deriveText } = await import("../../report/derive.js");
      const { jsonText } = await import("../../report/finite.js");
      const { noSuchRank } = await import("../../einsum/shape.js");
      const { requireEnding, requireOwnPaths } = await import("../output-files.js");
      const { checkWritable, writeAtomically, writeAtOnce } = await import("../../io/atomic-write.js");
      const cascade = loadCascade(name);
      const rank = cascade.ranks.byName(options.rank);
      if (rank === undefined) throw noSuchRank(cascade, options.rank, "--rank");
      if (options.tile !== undefined) requireTile(options.tile, cascade, rank);
      const answer = options.answer === undefined ? undefined : requireNumber(options.answer);
      requireOwnPaths([], options.out === undefined ? {} : { "--out": options.out });
      requireEnding("--out", options.out, [".cascade"]);
      if (options.out !== undefined) checkWritable(options.out);
      const text = (found: CheckedDerivation): string =>
        options.json === true
          ? jsonText(deriveJson(found, cascade.name))
          : deriveText(found, cascade.name, { ...options, answer });

      const { defaultBudget } = await import("../../einsum/derive/search.js");
      const progress = await startProgress("deriving", "Einsums", defaultBudget, options.json === true);
      let turn = performance.now();
      const breathe = async (): Promise<void> => {
        if (performance.now() - turn < turnMilliseconds) return;
        await new Promise(done => setImmediate(done)); // a signal is heard here
        turn = performance.now();
      };
      const check = derivationChecker(breathe);
      let shown: Measure | null = null;
      let bestSoFar: CheckedDerivation | null = null;
      // A thread that ends leaves what it has given its stream.
      const forget = onInterrupt(() => {
        if (bestSoFar === null) return;
        writeSync(1, text(bestSoFar));
        const best = bestSoFar.answers.find(({ equal }) => equal);
        if (options.out !== undefined && best !== undefined) writeAtOnce(options.out, fileText(best));
      });
      const found = await deriveOver(cascade, rank, {
        ...(options.tile === undefined ? {} : { tile: options.tile }),
        onCascade: async (looked, best, soFar) => {
          if (performance.now() - turn < turnMilliseconds) return true;
          if (best !== shown) bestSoFar = await firstAnswer(check, soFar());
          shown = best;
          progress.update(Math.min(looked, defaultBudget));
          await breathe();
          return true;
        },
      });
      progress.stop();
      const checked = await check(found);
      const best = checked.answers.find(({ equal }) => equal);
      const chosen = answer === undefined ? best : checked.answers[answer - 1];
      if (answer !== undefined && chosen === undefined && checked.answers.length > 0) {
        throw new UsageError({
          where: "--answer",
          got: String(answer),
          expected: `a number from 1 to ${checked.answers.length}, as many answers as were found`,
        });
      }
      forget();
      process.stdout.write(text(checked));
      if (chosen === undefined) process.exitCode = 1;
      else if (options.out !== undefined)
        await writeAtomically(options.out, [new TextEncoder().encode(fileText(chosen))]);
    });
}

/** What was found so far, with the best answer that computes what was given. */
async function firstAnswer(
  check: (derivation: Derivation) => Promise<CheckedDerivation>,
  soFar: Derivation,
): Promise<CheckedDerivation> {
  for (const answer of soFar.answers) {
    const checked = await check({ ...soFar, answers: [answer] });
    if (checked.answers.length > 0) return checked;
  }
  return check({ ...soFar, answers: [] });
}

function fileText({ last }: CheckedAnswer): string {
  const text = last.cascade.source.lines.join("\n");
  return text.endsWith("\n") ? text : `${text}\n`;
}

/** @throws UsageError */
function requireNumber(text: string): number {
  if (/^[1-9]\d{0,3}$/.test(text)) return Number(text);
  throw new UsageError({ where: "--answer", got: text, expected: "the number of an answer, from 1" });
}

/** A rank's name is a letter, letters and digits. @throws UsageError */
function requireTile(tile: string, cascade: Cascade, rank: Rank): void {
  const name = tile.toUpperCase();
  const taken = [...cascade.ranks.ranks.flatMap(({ names }) => names), `${rank.name}1`];
  const isOwnPart = rank.parts.length > 1 && rank.parts.includes(name);
  if (/^[A-Za-z][A-Za-z0-9]*$/.test(tile) && (isOwnPart || !taken.includes(name))) return;
  const expected = `a rank's name that ${cascade.name} does not have, such as ${rank.name}0`;
  throw new UsageError({ where: "--tile", got: tile, expected });
}

interface DeriveCommand {
  readonly rank: string;
  readonly tile?: string;
  readonly out?: string;
  readonly answer?: string;
  readonly all?: true;
  readonly whyNot?: true;
  readonly json?: true;
}
