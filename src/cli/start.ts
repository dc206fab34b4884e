import { problemOf } from "../errors.js";
import { removeUnfinishedFiles } from "../io/atomic-write.js";
import { systemError } from "../io/system-error.js";
import { reportFault } from "./fault.js";
import { handleInterrupts } from "./interrupt.js";
import { runsOnThread, startOnThread } from "./on-thread.js";
import { keepLibrariesQuiet } from "./quiet.js";
import { requireHeap } from "./require-heap.js";
import { writeWholeOutput } from "./whole-output.js";

const args = process.argv.slice(2);

/** Nothing else may end the program with the words of Node. */
function endWithFault(error: unknown): never {
  removeUnfinishedFiles();
  process.exit(reportFault(error, args));
}
process.on("uncaughtException", endWithFault);
process.on("unhandledRejection", endWithFault);

writeWholeOutput(process.stdout);
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  removeUnfinishedFiles();
  // A reader that stops early (`fusemax run --json | head`) is no error.
  if (error.code === "EPIPE") process.exit(0);
  process.stderr.write(
    `fusemax: standard output: ${problemOf({ got: systemError(error), expected: "room for the result" })}\n`,
  );
  process.exit(2);
});
process.stderr.on("error", () => undefined); // nobody listens: the result still counts

keepLibrariesQuiet();
requireHeap();

let ended = false;
process.on("exit", () => {
  // Nothing is left to do, and yet the command has not ended: something that it waits for is gone.
  if (!ended && process.exitCode === undefined)
    process.exitCode = reportFault(new Error("the command never ended"), args);
});

const thread = runsOnThread(args) ? startOnThread(args) : null;
handleInterrupts(thread?.interrupt);
const run = async (): Promise<number> => thread?.code ?? (await import("./program.js")).runCli(args);
run().then(code => {
  ended = true;
  process.exitCode = code;
}, endWithFault);
