import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Cascade, parseCascade } from "../einsum/cascade.js";
import { cascadeLimits } from "../einsum/parse.js";
import { namesNear, nearest } from "../einsum/source.js";
import { InputError, shown } from "../errors.js";
import { readTextFile } from "./regular-file.js";

const folder = fileURLToPath(new URL("../../specs/cascades", import.meta.url));
const ending = ".cascade";

/**
 * The names of the cascades that come with the package, sorted.
 * @example
 * ```ts
 * import { cascadeNames } from "fusemax/node";
 *
 * console.log(cascadeNames().includes("attention-1-pass")); // true
 * ```
 */
export function cascadeNames(): string[] {
  return readdirSync(folder)
    .filter(file => file.endsWith(ending))
    .map(file => file.slice(0, -ending.length))
    .sort();
}

/**
 * A cascade of the library by its name, in any case, or of a file by its path.
 * @throws InputError for a file that cannot be read, SpecError for a text that is no cascade.
 * @example
 * ```ts
 * import { loadCascade } from "fusemax/node";
 *
 * console.log(loadCascade("attention-1-pass").einsums.length); // 17
 * ```
 */
export function loadCascade(nameOrFile: string): Cascade {
  const known = cascadeNames().find(name => name.toLowerCase() === nameOrFile.toLowerCase());
  if (known !== undefined && !existsSync(nameOrFile)) {
    return parseCascade(readFileSync(join(folder, known + ending), "utf8"), known);
  }
  return parseCascade(readText(nameOrFile), shown(nameOrFile));
}

function readText(path: string): string {
  try {
    return readTextFile(path, 4 * cascadeLimits.characters, "a cascade");
  } catch (error) {
    if (!(error instanceof InputError) || existsSync(path)) throw error;
    const near = nearest(path.slice(0, 200), cascadeNames());
    throw new InputError(
      {
        where: path,
        got: "no such cascade or file",
        expected: `a file, or one of ${namesNear(path, cascadeNames(), "specs/cascades")}`,
        ...(near === undefined ? {} : { fix: `did you mean ${near}?` }),
      },
      { cause: error },
    );
  }
}
