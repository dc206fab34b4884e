import { refuseOnePassChoices } from "../../src/cli/one-pass-choices.js";
import type { Design } from "../../src/spec/design.js";
import { checkFusion } from "../../src/spec/fusion.js";
import { isFileName, loadDesign, loadDesignSpec, type SpecSource } from "../../src/spec/load.js";
import { bundledSpecs } from "../specs.js";
import { type OwnDesign, rootFile } from "./own.js";

/** The visitor's files by their names, and the package's specs by theirs, as the command line finds them in a folder. */
export const ownSpecs = ({ files }: OwnDesign): SpecSource => ({
  names: bundledSpecs.names,
  checkFusion,
  read: (kind, name, from) => {
    if (!isFileName(kind, name)) return bundledSpecs.read(kind, name, from);
    const file = name.replace(/^\.\//, "");
    const text = Object.hasOwn(files, file) ? files[file] : undefined;
    return text === undefined ? undefined : { file, text };
  },
});

/**
 * Reads the visitor's design as the commands do that cost it.
 * @throws SpecError, CascadeError or UsageError at its file's line and column
 */
export function loadOwn(own: OwnDesign): Design {
  const design = loadDesign(ownSpecs(own), rootFile);
  const { arithmetic, cascade } = design;
  if (cascade !== undefined) {
    refuseOnePassChoices(arithmetic.data, cascade, `the arithmetic ${arithmetic.data.name} of ${design.name}`);
  }
  return design;
}

/** What a design says of itself; null where its file cannot be read. */
export interface Said {
  readonly name: string;
  readonly label: string;
}

const said = new WeakMap<OwnDesign, Said>();
const nameless: Said = { name: "own", label: "Your design" };

/** What the visitor's design calls itself; its file may be wrong at any moment. */
export function saidOf(own: OwnDesign): Said {
  const known = said.get(own) ?? readSaid(own);
  said.set(own, known);
  return known;
}

function readSaid(own: OwnDesign): Said {
  try {
    const { name, label } = loadDesignSpec(ownSpecs(own), rootFile).data;
    return { name, label };
  } catch {
    return nameless;
  }
}
