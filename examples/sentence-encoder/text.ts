import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { InputError } from "fusemax";

/** The shipped text; data/README.md says where it is from. */
const shipped = "examples/sentence-encoder/data/rabbit-hole.txt";

/**
 * Reads a text (the shipped one unless told) as one line: line breaks and runs of spaces become one space.
 * Throws InputError when the file cannot be read.
 */
export async function readText(file = join(projectRoot(), shipped)): Promise<string> {
  try {
    return (await readFile(file, "utf8")).replace(/\s+/g, " ").trim();
  } catch (error) {
    const got = (error as NodeJS.ErrnoException).code ?? String(error);
    throw new InputError({ where: file, got, expected: "a readable text file" }, { cause: error });
  }
}

/** The folder of package.json, from the sources as from what is built. */
export const projectRoot = (): string => dirname(createRequire(import.meta.url).resolve("fusemax/package.json"));
