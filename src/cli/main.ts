#!/usr/bin/env node
import { readFileSync } from "node:fs";
import { Command, CommanderError } from "commander";
import { FusemaxError } from "../errors.js";

const packageJson = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
  readonly version: string;
  readonly description: string;
};

const program = new Command("fusemax")
  .description(packageJson.description)
  .version(packageJson.version)
  .showHelpAfterError(false)
  .configureHelp({ showGlobalOptions: true });

/** One module a command; each adds itself with light option declarations and imports the work when it runs. */
const commands: readonly ((program: Command) => void)[] = [];
for (const register of commands) register(program);

/** Exit codes: 0 done, 1 a stated bound was missed, 2 the input or the machine is at fault, 130 interrupted. */
function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (error instanceof FusemaxError) {
    process.stderr.write(`fusemax: ${error.message}\n`);
    return 2;
  }
  throw error;
}

const withoutExit = (command: Command): void => {
  command.exitOverride();
  for (const sub of command.commands) withoutExit(sub);
};
withoutExit(program);

try {
  await program.parseAsync(process.argv);
} catch (error) {
  process.exitCode = exitCodeOf(error);
}
