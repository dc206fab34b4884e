#!/usr/bin/env node
import { handleInterrupts } from "./interrupt.js";
import { runCli } from "./program.js";

// A reader that stops early (`fusemax run --json | head`) is no error.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit(0);
});

handleInterrupts();
process.exitCode = await runCli(process.argv.slice(2));
