import type { Command } from "commander";
import { limitJobs } from "../platform/jobs.js";
import { choice, parsed } from "./option.js";
import { type ProgressStyle, progressStyles, showProgress } from "./progress.js";
import { parseSize } from "./values.js";

/** How a command that takes long works. */
interface WorkingOptions {
  readonly jobs?: number;
  readonly progress?: ProgressStyle;
}

/** More threads than this are a slip of the pen. */
const mostJobs = 1024;

/** What is said while a command works. */
export const progressOption = (command: Command): Command =>
  command.addOption(
    choice(
      "--progress <how>",
      "on stderr; plain: a line now and then, also where it is no terminal",
      progressStyles,
    ).default("auto"),
  );

/** The same, and how many threads a command keeps busy. */
export const workingOptions = (command: Command): Command =>
  progressOption(
    command.addOption(
      parsed("--jobs <n>", "threads at most (default: one per core)", (name, text) =>
        parseSize(name, text, mostJobs, "4"),
      ),
    ),
  );

/** Before a command's action; what it has no options for is as nobody had said anything. */
export function workAsAsked(command: Command): void {
  const { jobs, progress } = command.opts<WorkingOptions>();
  limitJobs(jobs ?? null);
  showProgress(progress ?? "auto");
}
