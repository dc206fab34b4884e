import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { shown } from "../errors.js";

/** A defect of the program, as sysexits.h has it: EX_SOFTWARE. */
const defect = 70;

/**
 * Says in one line that the program itself is at fault, with the name of a file that holds what a report needs.
 * Returns the exit code.
 */
export function reportFault(error: unknown, args: readonly string[]): number {
  const { message, details } = partsOf(error);
  const file = writeDetails(details, args);
  const where = file === null ? "" : ` with ${shown(file)}`;
  process.stderr.write(
    `fusemax: a fault of the program, not of the input: ${shown(message, 200)}; please report it${where}\n`,
  );
  return defect;
}

function partsOf(error: unknown): { readonly message: string; readonly details: string } {
  if (!(error instanceof Error)) return { message: String(error), details: String(error) };
  const cause = error.cause === undefined ? "" : `\ncaused by ${partsOf(error.cause).details}`;
  return { message: error.message || error.name, details: `${error.stack ?? error.message}${cause}` };
}

/** A new file among the temporary ones that only its owner can read; null where none can be made. */
function writeDetails(details: string, args: readonly string[]): string | null {
  try {
    const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
      version: string;
    };
    const file = join(tmpdir(), `fusemax-fault-${randomBytes(8).toString("hex")}.txt`);
    const system = `fusemax ${version}, Node ${process.version}, ${process.platform} ${process.arch}`;
    const text = `${system}\n${JSON.stringify(args).slice(0, 10_000)}\n\n${details.slice(0, 100_000)}\n`;
    writeFileSync(file, text, { flag: "wx", mode: 0o600 });
    return file;
  } catch {
    return null;
  }
}
