import { closeSync, constants, fstatSync, openSync, readSync, type Stats, statfsSync, statSync } from "node:fs";
import { InputError } from "../errors.js";
import { noteRead } from "./files-read.js";
import { systemError } from "./system-error.js";

/** File systems of Linux whose files are made up as they are read: statfs(2), linux/magic.h. */
const madeUp: ReadonlySet<number> = new Set([
  0x9fa0, // proc
  0x62656572, // sysfs
  0x64626720, // debugfs
  0x74726163, // tracefs
  0x27e0eb, // cgroup
  0x63677270, // cgroup2
  0x73636673, // securityfs
  0x6165676c, // pstore
]);

/**
 * Refuses what is no regular file before it is opened: opening a pipe or a device may wait for ever, or do something.
 * @param expected what it should be, in words
 * @throws InputError, for a file that is missing too
 */
export function requireRegular(path: string, expected: string): Stats {
  const wrong = (got: string, cause?: unknown): InputError => new InputError({ where: path, got, expected }, { cause });
  let stats: Stats;
  try {
    stats = statSync(path);
  } catch (error) {
    throw wrong(systemError(error), error);
  }
  if (!stats.isFile()) throw wrong(`${kindOf(stats)}, which is not a regular file`);
  if (isMadeUp(path)) throw wrong("a file that the kernel makes up, which is not a regular file");
  noteRead(path, stats);
  return stats;
}

/** Opening does not wait either where something else has taken the file's place meanwhile. */
export const readWithoutWaiting = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

/** A text of at most so many bytes. @throws InputError for more, and for what is no regular file. */
export function readTextFile(path: string, mostBytes: number, expected: string): string {
  const { size } = requireRegular(path, expected);
  const tooLong = (bytes: string): InputError =>
    new InputError({ where: path, got: bytes, expected: `${expected} of at most ${mostBytes} bytes` });
  if (size > mostBytes) throw tooLong(`${size} bytes`);
  try {
    const handle = openSync(path, readWithoutWaiting);
    try {
      if (!fstatSync(handle).isFile()) throw tooLong("something that is not a regular file");
      // It may grow meanwhile.
      const bytes = new Uint8Array(mostBytes + 1);
      let length = 0;
      for (let read = -1; read !== 0 && length <= mostBytes; length += read)
        read = readSync(handle, bytes, length, bytes.length - length, null);
      if (length > mostBytes) throw tooLong(`more than ${mostBytes} bytes`);
      return new TextDecoder().decode(bytes.subarray(0, length));
    } finally {
      closeSync(handle);
    }
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError({ where: path, got: systemError(error), expected }, { cause: error });
  }
}

function kindOf(stats: Stats): string {
  if (stats.isDirectory()) return "a folder";
  if (stats.isFIFO()) return "a named pipe";
  if (stats.isSocket()) return "a socket";
  return "a device";
}

function isMadeUp(path: string): boolean {
  if (process.platform !== "linux") return false;
  try {
    return madeUp.has(statfsSync(path).type >>> 0);
  } catch {
    return false;
  }
}
