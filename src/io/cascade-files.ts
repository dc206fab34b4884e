import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Cascade, parseCascade } from "../einsum/cascade.js";
import { cascadeLimits } from "../einsum/parse.js";
import { nearest } from "../einsum/source.js";
import { InputError } from "../errors.js";
import { systemError } from "./bytes.js";

const folder = fileURLToPath(new URL("../../specs/cascades", import.meta.url));
const ending = ".cascade";

/** The names of the cascades that come with the package, sorted. */
export function cascadeNames(): string[] {
  return readdirSync(folder)
    .filter(file => file.endsWith(ending))
    .map(file => file.slice(0, -ending.length))
    .sort();
}

/**
 * A cascade of the library by its name, in any case, or of a file by its path.
 * @throws InputError for a file that cannot be read, SpecError for a text that is no cascade.
 */
export function loadCascade(nameOrFile: string): Cascade {
  const known = cascadeNames().find(name => name.toLowerCase() === nameOrFile.toLowerCase());
  if (known !== undefined && !existsSync(nameOrFile)) {
    return parseCascade(readFileSync(join(folder, known + ending), "utf8"), known);
  }
  return parseCascade(readText(nameOrFile), nameOrFile);
}

function readText(path: string): string {
  try {
    if (statSync(path).size > 4 * cascadeLimits.characters) {
      throw new InputError({
        where: path,
        got: `${statSync(path).size} bytes`,
        expected: `a cascade of at most ${cascadeLimits.characters} characters`,
      });
    }
    return readFileSync(path, "utf8");
  } catch (error) {
    if (error instanceof InputError) throw error;
    const near = nearest(path, cascadeNames());
    const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
    throw new InputError(
      {
        where: path,
        got: missing ? "no such cascade or file" : systemError(error),
        expected: `a file, or one of ${cascadeNames().join(", ")}`,
        ...(near === undefined ? {} : { mend: `did you mean ${near}?` }),
      },
      { cause: error },
    );
  }
}
