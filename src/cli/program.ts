import { readFileSync } from "node:fs";
import { Command, CommanderError } from "commander";
import { FusemaxError, shown } from "../errors.js";
import { forgetReads } from "../io/files-read.js";
import { register as registerDerive } from "./commands/derive.js";
import { register as registerDoctor } from "./commands/doctor.js";
import { register as registerEqual } from "./commands/equal.js";
import { register as registerEvaluate } from "./commands/evaluate.js";
import { register as registerImport } from "./commands/import.js";
import { register as registerInvariance } from "./commands/invariance.js";
import { register as registerMap } from "./commands/map.js";
import { register as registerMerge } from "./commands/merge.js";
import { register as registerModel } from "./commands/model.js";
import { register as registerPasses } from "./commands/passes.js";
import { register as registerReproduce } from "./commands/reproduce.js";
import { register as registerRun } from "./commands/run.js";
import { register as registerSchedule } from "./commands/schedule.js";
import { register as registerSchema } from "./commands/schema.js";
import { register as registerSweep } from "./commands/sweep.js";
import { register as registerTables } from "./commands/tables.js";
import { register as registerTaxonomy } from "./commands/taxonomy.js";
import { register as registerTrace } from "./commands/trace.js";
import { register as registerTrafficBound } from "./commands/traffic-bound.js";
import { refuseSecondThoughts } from "./given-twice.js";
import { workAsAsked } from "./working.js";

/** One module a command; each adds itself with light option declarations and imports the work when it runs. */
const commands: readonly ((program: Command) => void)[] = [
  registerRun,
  registerInvariance,
  registerModel,
  registerMap,
  registerImport,
  registerReproduce,
  registerSweep,
  registerMerge,
  registerSchedule,
  registerPasses,
  registerTaxonomy,
  registerEqual,
  registerDerive,
  registerEvaluate,
  registerTrafficBound,
  registerTrace,
  registerTables,
  registerSchema,
  registerDoctor,
];

/**
 * Runs one command line. Returns the exit code: 0 done, 1 a stated bound was missed, 2 the input or the machine is at
 * fault (one line on stderr says how). Anything else that is thrown is a defect of this program.
 */
export async function runCli(args: readonly string[]): Promise<number> {
  process.exitCode = undefined;
  forgetReads();
  try {
    await makeProgram(args).parseAsync(args, { from: "user" });
    return Number(process.exitCode ?? 0);
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0; // --help, --version
    const complaint = describe(error, args);
    if (complaint === null) throw error;
    process.stderr.write(`fusemax: ${complaint}\n`);
    return 2;
  } finally {
    process.exitCode = undefined;
  }
}

function makeProgram(args: readonly string[]): Command {
  const { version, description } = JSON.parse(
    readFileSync(new URL("../../package.json", import.meta.url), "utf8"),
  ) as Readonly<Record<"version" | "description", string>>;
  const program = new Command("fusemax")
    .description(description)
    .version(version)
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      outputError: () => undefined, // said by runCli, in one line
      // All commands are shown to who gives none; a slip of the pen gets its line alone.
      writeErr: text => void (args.length === 0 && process.stderr.write(text)),
    })
    .hook("preAction", (_, command) => workAsAsked(command))
    .exitOverride();
  for (const register of commands) register(program);
  for (const command of program.commands) {
    for (const each of [command, ...command.commands]) refuseSecondThoughts(each);
  }
  return program;
}

/** One line for an error that the user can fix, and the line of a text that it points into; null for a defect. */
function describe(error: unknown, args: readonly string[]): string | null {
  if (error instanceof FusemaxError) {
    return error.excerpt === undefined ? error.message : `${error.message}\n${error.excerpt}`;
  }
  if (error instanceof RangeError && /allocation failed|Invalid typed array length/.test(error.message)) {
    return `memory: none for ${error.message.toLowerCase()}; expected room for inputs and output; take smaller sizes`;
  }
  // No thread could be started, or one had no room: too little memory, or too many processes.
  if (/^ERR_WORKER_(INIT_FAILED|OUT_OF_MEMORY)$/.test((error as NodeJS.ErrnoException | null)?.code ?? "")) {
    return "memory: none for a thread; expected room for the program's threads; take smaller sizes, or raise the limits of the process";
  }
  if (!(error instanceof CommanderError)) return null;
  if (error.code === "commander.help") {
    const asked = args.indexOf("help");
    const what = asked === -1 ? "no command given" : `unknown command '${shown(args[asked + 1] ?? "", 100)}'`;
    return `${what}; see fusemax${args[0] === "import" ? " import" : ""} --help`;
  }
  const command = args.find(arg => !arg.startsWith("-"));
  const isUnknown = error.code === "commander.unknownCommand" && command !== "import";
  const help = isUnknown || command === undefined ? "" : ` ${shown(command, 100)}`;
  const said = error.message
    .replace(/^error: /, "")
    .replace(/\s+/g, " ")
    .replace(/\.$/, "");
  return `${shown(said)}; see fusemax${help} --help`;
}
