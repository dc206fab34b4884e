import { mkdir, readdir, rmdir, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { InputError, UsageError } from "../errors.js";
import { temporaryFile, writeAtomically } from "./atomic-write.js";
import { readUnder } from "./files-read.js";
import { systemError } from "./system-error.js";
import { identityOf, targetOf } from "./target-file.js";

/**
 * Writes text files into a folder, which is made if it is not there; each file whole or not at all, and none over a file
 * that the command has read.
 */
export async function writeFolder(folder: string, files: ReadonlyMap<string, string>): Promise<void> {
  await makeFolder(folder).catch(error => {
    throw unwritable(folder, error);
  });
  requireUnread(folder, [...files.keys()]);
  const encoder = new TextEncoder();
  await Promise.all([...files].map(([name, text]) => writeAtomically(join(folder, name), [encoder.encode(text)])));
}

/**
 * Finds out before any work whether files can be written into a folder, and makes nothing.
 * @param isWritten whether a file of that name may be among them
 * @param kept a file that stays open meanwhile
 */
export async function checkFolder(
  folder: string,
  isWritten: (name: string) => boolean,
  kept: string | undefined,
): Promise<void> {
  const file = kept === undefined ? undefined : resolve(kept);
  const isInside = file !== undefined && dirname(file) === resolve(folder) && isWritten(basename(file));
  if (file === resolve(folder) || isInside) {
    throw new UsageError({ where: "--out", got: `${folder}, the file of --resume`, expected: "a folder of its own" });
  }
  try {
    const made = await makeFolder(folder);
    if (made.length === 0) temporaryFile(folder, "out").remove();
    for (const own of [...made].reverse()) await rmdir(own);
  } catch (error) {
    throw error instanceof InputError ? error : unwritable(folder, error);
  }
  requireUnread(folder, (await readdir(folder).catch(() => [])).filter(isWritten));
}

/** @throws UsageError where the command has read one of the files that it is about to write */
function requireUnread(folder: string, names: readonly string[]): void {
  for (const name of names) {
    const path = join(folder, name);
    const read = readUnder(identityOfTarget(path));
    if (read === undefined) continue;
    throw new UsageError({ where: "--out", got: `${path}, the input ${read}`, expected: "a folder of its own" });
  }
}

const unwritable = (folder: string, error: unknown): InputError =>
  new InputError(
    { where: folder, got: systemError(error), expected: "a folder that can be written" },
    { cause: error },
  );

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

/** Makes a folder and those above it; gives those that it made. Node's own way never returns where a folder that is there takes none, as /proc. */
async function makeFolder(folder: string): Promise<readonly string[]> {
  if (await isFolder(folder)) return [];
  const above = dirname(folder);
  const made = above === folder ? [] : await makeFolder(above);
  try {
    await mkdir(folder);
    return [...made, folder];
  } catch (error) {
    // Another process may have been first.
    if (await isFolder(folder)) return made;
    throw error;
  }
}

const isFolder = async (path: string): Promise<boolean> => (await stat(path).catch(() => null))?.isDirectory() ?? false;
