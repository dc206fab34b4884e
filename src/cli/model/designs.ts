import { UsageError } from "../../errors.js";
import { specFiles } from "../../io/spec-files.js";
import type { Patch } from "../../model/patch.js";
import type { Design } from "../../spec/design.js";
import { loadDesign, type NamedSpec, type ReplacedParts, type SpecSource } from "../../spec/load.js";
import { refuseOnePassChoices } from "../one-pass-choices.js";

const technologyField = "architecture.technology";

/** The designs of the command line, with the technology that --set gives them, and the settings that are left. */
export function designsWith(
  names: readonly string[],
  settings: readonly Patch[],
  arithmetic: NamedSpec | undefined,
  load: (source: SpecSource, name: string, replaced: ReplacedParts) => Design = loadDesignIn,
): { readonly designs: readonly Design[]; readonly patches: readonly Patch[] } {
  refuseTwice(settings);
  const given = settings.filter(({ path }) => path === technologyField);
  const last = given.at(-1);
  if (given.some(({ relative }) => relative)) {
    throw new UsageError({
      where: `--set ${technologyField}`,
      got: "*=",
      expected: "= and a technology's name or file",
    });
  }
  const technology = last === undefined ? undefined : { name: String(last.value), where: `--set ${technologyField}` };
  return {
    designs: names.map(name => load(specFiles, name, { technology, arithmetic })),
    patches: settings.filter(({ path }) => path !== technologyField),
  };
}

/** A design of --design, in the arithmetic that the command line names. @throws UsageError where they do not fit */
export function loadDesignIn(source: SpecSource, name: string, replaced: ReplacedParts): Design {
  const design = loadDesign(source, name, "--design", replaced);
  const { arithmetic, cascade } = design;
  const where =
    replaced.arithmetic === undefined
      ? `the arithmetic ${arithmetic.data.name} of ${design.name}`
      : `${replaced.arithmetic.where} ${replaced.arithmetic.name}`;
  if (cascade !== undefined) refuseOnePassChoices(arithmetic.data, cascade, where);
  return design;
}

/** A value after another one for the same field would undo it in silence. */
function refuseTwice(settings: readonly Patch[]): void {
  const undone = settings.find(({ path, relative }, i) => {
    return relative !== true && settings.slice(0, i).some(before => before.path === path);
  });
  if (undone !== undefined) throw new UsageError({ where: `--set ${undone.path}`, got: "two values", expected: "one" });
}
