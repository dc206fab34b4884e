import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

/** The shipped text; data/README.md says where it is from. */
const shipped = "examples/sentence-encoder/data/rabbit-hole.txt";

/** Reads a text (the shipped one unless told) as one line: line breaks and runs of spaces become one space. */
export async function readText(file?: string): Promise<string> {
  const root = dirname(createRequire(import.meta.url).resolve("fusemax/package.json"));
  const text = await readFile(file ?? join(root, shipped), "utf8");
  return text.replace(/\s+/g, " ").trim();
}
