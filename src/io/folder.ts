import { mkdir, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { InputError, UsageError } from "../errors.js";
import { writeAtomically } from "./atomic-write.js";
import { readUnder } from "./files-read.js";
import { systemError } from "./system-error.js";
import { identityOf, targetOf } from "./target-file.js";

/**
 * Writes text files into a folder, which is made if it is not there; each file whole or not at all, and none over a file
 * that the command has read.
 */
export async function writeFolder(folder: string, files: ReadonlyMap<string, string>): Promise<void> {
  try {
    await makeFolder(folder);
  } catch (error) {
    throw new InputError(
      { where: folder, got: systemError(error), expected: "a folder that can be written" },
      { cause: error },
    );
  }
  for (const name of files.keys()) {
    const path = join(folder, name);
    const read = readUnder(identityOfTarget(path));
    if (read === undefined) continue;
    throw new UsageError({ where: "--out", got: `${path}, the input ${read}`, expected: "a folder of its own" });
  }
  const encoder = new TextEncoder();
  await Promise.all([...files].map(([name, text]) => writeAtomically(join(folder, name), [encoder.encode(text)])));
}

function identityOfTarget(path: string): string {
  try {
    return identityOf(targetOf(path));
  } catch (error) {
    throw new InputError(
      { where: path, got: systemError(error), expected: "a file that can be written" },
      { cause: error },
    );
  }
}

/** Makes a folder and those above it. Node's own way never returns where a folder that is there takes none, as /proc. */
async function makeFolder(folder: string): Promise<void> {
  if (await isFolder(folder)) return;
  const above = dirname(folder);
  if (above !== folder) await makeFolder(above);
  try {
    await mkdir(folder);
  } catch (error) {
    // Another process may have been first.
    if (!(await isFolder(folder))) throw error;
  }
}

const isFolder = async (path: string): Promise<boolean> => (await stat(path).catch(() => null))?.isDirectory() ?? false;
