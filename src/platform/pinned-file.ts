import { createHash } from "node:crypto";
import { closeSync, constants, fstatSync, lstatSync, openSync, readSync } from "node:fs";
import { user } from "./private-folder.js";

/** What a file has to hold. */
export interface Pin {
  readonly bytes: number;
  readonly sha256: string;
}

/**
 * The bytes of a file that holds exactly what it has to: no symbolic link, no pipe or device, of the right size and digest.
 * @throws Error that says what is wrong.
 */
export function readPinned(path: string, pin: Pin): Uint8Array {
  return withPlainFile(path, handle => checked(path, handle, pin));
}

/**
 * Checks a file that is about to be loaded by its path: it holds what it has to, this user alone can change it, and the path
 * still names the file that was read. The folder that it lies in must be private.
 * @throws Error that says what is wrong.
 */
export function checkLoadable(path: string, pin: Pin): void {
  withPlainFile(path, handle => {
    const { uid, mode, dev, ino } = fstatSync(handle);
    if (uid !== user()) throw new Error(`${path} belongs to another user`);
    if ((mode & 0o022) !== 0) throw new Error(`${path} can be written by others`);
    checked(path, handle, pin);
    const now = lstatSync(path);
    if (now.dev !== dev || now.ino !== ino) throw new Error(`${path} has been replaced`);
  });
}

function withPlainFile<T>(path: string, use: (handle: number) => T): T {
  // A pipe would wait for a writer.
  const handle = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    return use(handle);
  } finally {
    closeSync(handle);
  }
}

function checked(path: string, handle: number, pin: Pin): Uint8Array {
  const found = fstatSync(handle);
  const differs = new Error(`${path} is not the file that belongs there`);
  if (!found.isFile() || found.size !== pin.bytes) throw differs;
  const bytes = new Uint8Array(pin.bytes);
  for (let at = 0; at < bytes.length; ) {
    const read = readSync(handle, bytes, at, bytes.length - at, at);
    if (read === 0) throw differs;
    at += read;
  }
  if (createHash("sha256").update(bytes).digest("hex") !== pin.sha256) throw differs;
  return bytes;
}
