import { howMany, InputError } from "../errors.js";
import { readWhole } from "./byte-source.js";
import { fileSource } from "./bytes.js";

/** All bytes of a file of at most so many. @throws InputError for more, and for what is no regular file. */
export async function readBytes(path: string, mostBytes: number, expected: string): Promise<Uint8Array> {
  const source = await fileSource(path);
  if (source.length > mostBytes) {
    throw new InputError({
      where: path,
      got: howMany(source.length, "byte"),
      expected: `${expected} of at most ${mostBytes}`,
    });
  }
  return readWhole(source, 0, source.length);
}
