import { parentPort, workerData } from "node:worker_threads";
import { sayFarewell } from "./interrupt.js";
import type { FromThread, ThreadData } from "./on-thread.js";
import { runCli } from "./program.js";
import { keepLibrariesQuiet } from "./quiet.js";

// The inside of a thread that runs one command line.

if (parentPort === null) throw new Error("this module is the inside of a thread");
const port = parentPort;
const { args, terminal } = workerData as ThreadData;
const answer = (message: FromThread): void => port.postMessage(message);
keepLibrariesQuiet();
Object.assign(process.stderr, terminal);
port.on("message", () => {
  sayFarewell();
  // After the others that wait for the end; threads of this one take longer to end.
  process.once("exit", () => answer("farewell"));
  process.exit(130);
});
port.unref(); // listening keeps no thread alive
try {
  answer({ code: await runCli(args) });
} catch (error) {
  answer({ fault: error instanceof Error ? error : new Error(String(error)) });
}
