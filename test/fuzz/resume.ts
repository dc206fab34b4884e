import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { checkEnded, command } from "./command.js";
import { mutateBytes } from "./mutate.js";
import type { Random } from "./random.js";
import type { Target } from "./target.js";

const runLine = ["run", "--engine", "cpu", "--seq", "40", "--head-dim", "3", "--check", "none", "--json"];
const sweepLine = ["sweep", "--set", "architecture.frequencyHz=1e6..2e9:30", "--seq", "1K"];

/** A run whose file of finished rows or points was changed gives the result of one without, or refuses the file. */
async function attemptResume(random: Random, folder: string): Promise<void> {
  const sweep = random.once(2);
  const line = sweep ? sweepLine : runLine;
  const file = join(folder, "kept");
  const { result, kept } = await (sweep ? sweepOnce : runOnce)(folder);
  writeFileSync(file, mutateBytes(random, kept));
  const ended = await command([...line, "--resume", file]);
  checkEnded(ended, !sweep && ended.code !== 2);
  if (ended.code === 0 && resultOf(ended.stdout, sweep) !== result)
    throw new Error(`another result: ${ended.stdout.slice(0, 300)}`);
}

const resultOf = (stdout: string, sweep: boolean): string =>
  sweep ? stdout : (JSON.parse(stdout) as { output: { sha256: string } }).output.sha256;

interface Kept {
  readonly result: string;
  readonly kept: Uint8Array;
}

/** The result and the file of one whole run: made once. */
const once = (line: readonly string[], sweep: boolean) => {
  let made: Promise<Kept> | null = null;
  return (folder: string): Promise<Kept> => {
    made ??= (async () => {
      const file = join(folder, "whole");
      const { stdout } = await command([...line, "--resume", file]);
      return { result: resultOf(stdout, sweep), kept: readFileSync(file) };
    })();
    return made;
  };
};
const runOnce = once(runLine, false);
const sweepOnce = once(sweepLine, true);

export const resumeTarget: Target = { name: "resume files", few: 25, attempt: attemptResume };
