import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { InputError } from "../errors.js";
import { writeAtomically } from "./atomic-write.js";
import { systemError } from "./bytes.js";

/** Writes text files into a folder, which is made if it is not there; each file whole or not at all. */
export async function writeFolder(folder: string, files: ReadonlyMap<string, string>): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
  } catch (error) {
    throw new InputError(
      { where: folder, got: systemError(error), expected: "a folder that can be written" },
      { cause: error },
    );
  }
  const encoder = new TextEncoder();
  await Promise.all([...files].map(([name, text]) => writeAtomically(join(folder, name), [encoder.encode(text)])));
}
