import { type FileHandle, open } from "node:fs/promises";
import { InputError } from "../errors.js";
import { type ByteSource, pieceBytes, truncated } from "./byte-source.js";

/** A regular file as a byte source. @throws InputError when it is missing, unreadable or no regular file. */
export async function fileSource(path: string): Promise<ByteSource> {
  const { length, isFile } = await withFile(path, async handle => {
    const stat = await handle.stat();
    return { length: stat.size, isFile: stat.isFile() };
  });
  if (!isFile) {
    throw new InputError({ where: path, got: "something that is not a regular file", expected: "a file of tensors" });
  }
  return { where: path, length, read: (from, to) => readFileRange(path, from, to) };
}

async function* readFileRange(path: string, from: number, to: number): AsyncGenerator<Uint8Array> {
  const handle = await openForReading(path);
  try {
    for (let at = from; at < to; ) {
      const buffer = new Uint8Array(Math.min(pieceBytes, to - at));
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, at);
      if (bytesRead === 0) throw truncated(path, at, to);
      yield buffer.subarray(0, bytesRead);
      at += bytesRead;
    }
  } finally {
    await handle.close();
  }
}

/** What the operating system said, in a user's words. */
export function systemError(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code ?? "";
  const words: Readonly<Record<string, string>> = {
    ENOENT: "no such file or folder",
    EACCES: "permission denied",
    EPERM: "operation not permitted",
    EEXIST: "a file of that name",
    EISDIR: "a folder",
    ENOTDIR: "a path through something that is not a folder",
    ENOSPC: "no space left on the device",
    EDQUOT: "a full disk quota",
    EFBIG: "a file too large for the file system",
    EROFS: "a read-only file system",
    ENAMETOOLONG: "a name too long for the file system",
    ELOOP: "a circle of symbolic links",
    EIO: "an input/output error",
  };
  return words[code] ?? (code === "" ? String(error) : code);
}

async function openForReading(path: string): Promise<FileHandle> {
  try {
    return await open(path, "r");
  } catch (error) {
    throw new InputError({ where: path, got: systemError(error), expected: "a readable file" }, { cause: error });
  }
}

async function withFile<T>(path: string, use: (handle: FileHandle) => Promise<T>): Promise<T> {
  const handle = await openForReading(path);
  try {
    return await use(handle);
  } finally {
    await handle.close();
  }
}
