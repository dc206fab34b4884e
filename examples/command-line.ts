import { type ParseArgsConfig, parseArgs } from "node:util";
import { FusemaxError, UsageError } from "fusemax";
import { haltDevices } from "fusemax/node";
import { removeUnfinishedFiles } from "#fusemax/io/atomic-write";
import type { EngineChoice } from "#fusemax/platform/choose-engine";
import { onEndingSignal } from "#fusemax/platform/ending-signals";

// What the examples with options share.

/** A line on stderr. */
export const note = (line: string): void => void process.stderr.write(`${line}\n`);

/**
 * Does a program's work. Exit codes as of `fusemax`: 2 where the input or the machine is at fault, 130, 143 or 129 when a signal ends it, one line on
 * stderr says so. `readOptions` gives null where --help was asked for.
 */
export async function runProgram<Options>(
  name: string,
  usage: string,
  readOptions: () => Options | null,
  work: (options: Options) => Promise<void>,
): Promise<void> {
  onEndingSignal(async ({ code, said }) => {
    removeUnfinishedFiles();
    note(`${name}: ${said}`);
    await haltDevices();
    process.exit(code);
  });
  try {
    const options = readOptions();
    if (options === null) process.stdout.write(usage);
    else await work(options);
  } catch (error) {
    if (!(error instanceof FusemaxError)) throw error;
    note(`${name}: ${error.message}`);
    process.exitCode = 2;
  }
}

/** The values of the options that were given. @throws UsageError */
export function parseOptions<const Options extends NonNullable<ParseArgsConfig["options"]>>(options: Options) {
  try {
    return parseArgs({ options }).values;
  } catch (error) {
    const got = error instanceof Error ? error.message : String(error);
    throw new UsageError({ where: "command line", got, expected: "the options that --help lists" }, { cause: error });
  }
}

const engineChoices: readonly EngineChoice[] = ["auto", "webgpu", "wasm", "cpu"];

/** What --engine says. @throws UsageError */
export function parseEngine(given = "auto"): EngineChoice {
  const engine = engineChoices.find(choice => choice === given);
  if (engine !== undefined) return engine;
  throw new UsageError({ where: "--engine", got: given, expected: `one of ${engineChoices.join(", ")}` });
}
