import { closeSync, openSync, renameSync, rmSync, unlinkSync, writeFileSync } from "node:fs";
import { type FileHandle, open, rename, unlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { InputError } from "../errors.js";
import { systemError } from "./system-error.js";
import { targetOf } from "./target-file.js";

/** Temporary files that exist now: an interrupted process removes them before it ends. */
const unfinished = new Set<string>();

/** Removes what `writeAtomically` has not finished; for a process about to exit. */
export function removeUnfinishedFiles(): void {
  for (const path of unfinished) {
    try {
      unlinkSync(path);
    } catch {
      // Already renamed or gone: nothing is left to remove.
    }
  }
  unfinished.clear();
}

/**
 * Writes a file whole or not at all: part by part into a temporary name in the same folder, flushed to the disk, then
 * renamed. A symbolic link is written through, also one that leads to no file yet; a device or a pipe is written directly.
 * @throws InputError when the path can't be written; whatever was there before is untouched.
 * @example
 * ```ts
 * import { writeAtomically } from "fusemax/node";
 *
 * await writeAtomically("note.txt", [new TextEncoder().encode("whole or not at all")]);
 * ```
 */
export async function writeAtomically(path: string, parts: Iterable<ArrayBufferView>): Promise<void> {
  const target = resolveTarget(path);
  try {
    if (target.direct) {
      const handle = await open(target.path, "w");
      await writeParts(handle, parts).finally(() => handle.close());
      return;
    }
    const temporary = temporaryName(target.path);
    unfinished.add(temporary);
    try {
      create(temporary);
      const handle = await open(temporary, "r+");
      try {
        await writeParts(handle, parts);
        await handle.sync();
      } finally {
        await handle.close();
      }
      await rename(temporary, target.path);
    } catch (error) {
      await unlink(temporary).catch(() => undefined);
      throw error;
    } finally {
      unfinished.delete(temporary);
    }
  } catch (error) {
    throw unwritable(path, error);
  }
}

/** Writes a text whole or not at all, without waiting: for a process that is about to exit. */
export function writeAtOnce(path: string, text: string): void {
  const target = resolveTarget(path);
  try {
    const temporary = target.direct ? target.path : temporaryName(target.path);
    writeFileSync(temporary, text, target.direct ? {} : { flag: "wx" });
    if (!target.direct) renameSync(temporary, target.path);
  } catch (error) {
    throw unwritable(path, error);
  }
}

/** Finds out before any work whether `path` can be written. @throws InputError when it can't. */
export function checkWritable(path: string): void {
  const target = resolveTarget(path);
  if (target.direct) return;
  const temporary = temporaryName(target.path);
  unfinished.add(temporary);
  try {
    create(temporary);
    unlinkSync(temporary);
  } catch (error) {
    throw unwritable(path, error);
  } finally {
    unfinished.delete(temporary);
  }
}

/** A file that goes when it is removed, or when the process is interrupted. @throws InputError when it can't be made */
export function temporaryFile(folder: string, name: string): { readonly path: string; readonly remove: () => void } {
  const path = temporaryName(join(folder, name));
  unfinished.add(path);
  try {
    create(path);
  } catch (error) {
    throw unwritable(folder, error);
  }
  return {
    path,
    remove: () => {
      rmSync(path, { force: true });
      unfinished.delete(path);
    },
  };
}

/** At once: an interruption finds a file that is there or not, never one that is about to be made. */
const create = (path: string): void => closeSync(openSync(path, "wx"));

const temporaryName = (path: string): string =>
  join(dirname(path), `.${basename(path).slice(0, 200)}.${process.pid}.${Math.random().toString(36).slice(2, 10)}.tmp`);

function resolveTarget(path: string): { readonly path: string; readonly direct: boolean } {
  try {
    const target = targetOf(path);
    return { path: target.path, direct: target.stats !== null && !target.stats.isFile() };
  } catch (error) {
    throw unwritable(path, error);
  }
}

const unwritable = (path: string, error: unknown): InputError =>
  new InputError(
    { where: path, got: systemError(error), expected: "a path that can be written", fix: "choose another path" },
    { cause: error },
  );

/** Large arrays go out in pieces: one write call takes less than 2 GiB. */
const writeBytes = 2 ** 26;

async function writeParts(handle: FileHandle, parts: Iterable<ArrayBufferView>): Promise<void> {
  for (const part of parts) {
    for (let at = 0; at < part.byteLength; ) {
      const piece = new Uint8Array(part.buffer, part.byteOffset + at, Math.min(writeBytes, part.byteLength - at));
      const { bytesWritten } = await handle.write(piece, 0, piece.length);
      at += bytesWritten;
    }
  }
}
