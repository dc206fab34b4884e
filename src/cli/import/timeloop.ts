import { writeFolder } from "../../io/folder.js";
import { readTextFile } from "../../io/regular-file.js";
import type { SpecText } from "../../spec/document.js";
import { specFilesOf } from "../../spec/timeloop/spec-files.js";
import { yamlLimits } from "../../spec/yaml.js";

export interface ImportOptions {
  readonly out?: string;
}

/** Reads Timeloop's three files and prints, or writes, a design of the same counts. */
export async function importTimeloop(
  architecture: string,
  problem: string,
  mapping: string,
  { out }: ImportOptions,
): Promise<void> {
  const files = specFilesOf({ architecture: read(architecture), problem: read(problem), mapping: read(mapping) });
  if (out === undefined) {
    process.stdout.write([...files].map(([name, text]) => `# ${name}\n${text}`).join("\n"));
    return;
  }
  await writeFolder(out, files);
  process.stdout.write(`wrote ${[...files.keys()].join(", ")} into ${out}\n`);
}

const read = (file: string): SpecText => ({
  file,
  text: readTextFile(file, yamlLimits.characters * 4, "a YAML file that can be read"),
});
