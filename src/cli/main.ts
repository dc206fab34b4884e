#!/usr/bin/env node
import { removeUnfinishedFiles } from "../io/atomic-write.js";
import { systemError } from "../io/system-error.js";
import { handleInterrupts } from "./interrupt.js";
import { runCli } from "./program.js";
import { writeWholeOutput } from "./whole-output.js";

writeWholeOutput(process.stdout);
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  removeUnfinishedFiles();
  // A reader that stops early (`fusemax run --json | head`) is no error.
  if (error.code === "EPIPE") process.exit(0);
  process.stderr.write(`fusemax: standard output: got ${systemError(error)}; expected room for the result\n`);
  process.exit(2);
});
process.stderr.on("error", () => undefined); // nobody listens: the result still counts

handleInterrupts();
process.exitCode = await runCli(process.argv.slice(2));
