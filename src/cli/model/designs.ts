import { UsageError } from "../../errors.js";
import { specFiles } from "../../io/spec-files.js";
import type { Patch } from "../../model/patch.js";
import type { Design } from "../../spec/design.js";
import { loadDesign } from "../../spec/load.js";

const technologyField = "architecture.technology";

/** The designs of the command line, with the technology that --set gives them, and the settings that are left. */
export function designsWith(
  names: readonly string[],
  settings: readonly Patch[],
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
    designs: names.map(name => loadDesign(specFiles, name, "--design", { technology })),
    patches: settings.filter(({ path }) => path !== technologyField),
  };
}

/** A value after another one for the same field would undo it in silence. */
function refuseTwice(settings: readonly Patch[]): void {
  const undone = settings.find(({ path, relative }, i) => {
    return relative !== true && settings.slice(0, i).some(before => before.path === path);
  });
  if (undone !== undefined) throw new UsageError({ where: `--set ${undone.path}`, got: "two values", expected: "one" });
}
