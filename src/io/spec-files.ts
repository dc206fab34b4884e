import { existsSync, readdirSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { cascadeLimits } from "../einsum/parse.js";
import type { SpecText } from "../spec/document.js";
import { checkFusion } from "../spec/fusion.js";
import { isFileName, type SpecKind, type SpecSource } from "../spec/load.js";
import { yamlLimits } from "../spec/yaml.js";
import { readTextFile } from "./regular-file.js";

const folder = fileURLToPath(new URL("../../specs", import.meta.url));

const endingOf = (kind: SpecKind): string => (kind === "cascades" ? ".cascade" : ".yaml");

/**
 * The package's specs by name, in any case, and a user's own by path: whatever ends in .yaml or .yml, and for cascades
 * in .cascade or .txt. A file that another names is sought beside that one first.
 * @example
 * ```ts
 * import { specFiles } from "fusemax/node";
 *
 * console.log(specFiles.names("designs").includes("fusemax")); // true
 * ```
 */
export const specFiles: SpecSource = {
  read(kind, name, from) {
    if (isFileName(kind, name)) return readText(kind, from === undefined ? name : besideOrHere(name, from));
    const known = specFiles.names(kind).find(known => known.toLowerCase() === name.toLowerCase());
    if (known === undefined) return undefined;
    return { ...readText(kind, join(folder, kind, known + endingOf(kind))), shipped: true };
  },
  names(kind: SpecKind) {
    return readdirSync(join(folder, kind))
      .filter(file => file.endsWith(endingOf(kind)))
      .map(file => file.slice(0, -endingOf(kind).length))
      .sort();
  },
  checkFusion,
};

function besideOrHere(name: string, from: string): string {
  const beside = resolve(dirname(from), name);
  return existsSync(beside) ? beside : name;
}

function readText(kind: SpecKind, path: string): SpecText {
  const isShipped = path.startsWith(folder + sep);
  const shown = isShipped ? `specs/${relative(folder, path).replaceAll(sep, "/")}` : path;
  const [limit, what] =
    kind === "cascades" ? [cascadeLimits.characters, "cascade"] : [yamlLimits.characters, "YAML file"];
  return { file: shown, text: readTextFile(path, limit * 4, `a ${what} that can be read`) };
}
