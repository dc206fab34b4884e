import { existsSync, readdirSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { SpecText } from "../spec/document.js";
import type { SpecKind, SpecSource } from "../spec/load.js";
import { yamlLimits } from "../spec/yaml.js";
import { readTextFile } from "./regular-file.js";

const folder = fileURLToPath(new URL("../../specs", import.meta.url));

/**
 * The package's specs by name, in any case, and a user's own by path: whatever ends in .yaml or .yml. A file that
 * another names is sought beside that one first.
 */
export const specFiles: SpecSource = {
  read(kind, name, from) {
    if (/\.ya?ml$/i.test(name)) return readText(from === undefined ? name : besideOrHere(name, from));
    const known = specFiles.names(kind).find(known => known.toLowerCase() === name.toLowerCase());
    return known === undefined ? undefined : { ...readText(join(folder, kind, `${known}.yaml`)), shipped: true };
  },
  names(kind: SpecKind) {
    return readdirSync(join(folder, kind))
      .filter(file => file.endsWith(".yaml"))
      .map(file => file.slice(0, -".yaml".length))
      .sort();
  },
};

function besideOrHere(name: string, from: string): string {
  const beside = resolve(dirname(from), name);
  return existsSync(beside) ? beside : name;
}

function readText(path: string): SpecText {
  const shown = path.startsWith(folder) ? `specs/${relative(folder, path)}` : path;
  return { file: shown, text: readTextFile(path, yamlLimits.characters * 4, "a YAML file that can be read") };
}
