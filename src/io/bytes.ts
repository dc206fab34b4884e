import { type FileHandle, open } from "node:fs/promises";
import { InputError } from "../errors.js";
import { type ByteSource, pieceBytes, truncated } from "./byte-source.js";
import { readWithoutWaiting, requireRegular } from "./regular-file.js";
import { systemError } from "./system-error.js";

/** A regular file as a byte source. @throws InputError when it is missing, unreadable or no regular file. */
export async function fileSource(path: string): Promise<ByteSource> {
  requireRegular(path, "a file of tensors");
  const length = await withFile(path, async handle => (await handle.stat()).size);
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

async function openForReading(path: string): Promise<FileHandle> {
  try {
    return await open(path, readWithoutWaiting);
  } catch (error) {
    throw new InputError({ where: path, got: systemError(error), expected: "a file of tensors" }, { cause: error });
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
