import type { Division } from "../../attention/score-terms.js";
import { SpecError } from "../../errors.js";
import type { Architecture } from "../architecture.js";
import type { Design } from "../design.js";
import type { EinsumMapping } from "../mapping.js";
import type { PlacedEinsum } from "../placement.js";
import type { ScoreCascade } from "./cascade.js";

/** On which arrays the Einsums of a soft-cap and a bias are done. */
export interface TermArrays {
  /** Where scores are made, and where all but a division is done. */
  readonly maker: string;
  readonly home: string;
  /** Where the quotient is formed. */
  readonly divider: string;
  readonly division: Division | null;
  /** The first Einsum on the home array that reads scores; undefined where scores are capped where they are made. */
  readonly reader: PlacedEinsum | undefined;
  /** What a reader has to know: an operation for which there is no unit. */
  readonly notes: readonly string[];
}

/** The variants of an Einsum's mapping. */
export function variantsOf({ mapping }: Pick<Design, "mapping">, name: string): readonly EinsumMapping[] {
  const entry = mapping.data.einsums[name];
  return entry === undefined ? [] : "variants" in entry ? entry.variants : [entry];
}

/**
 * Scores are capped and biased where they are made, if that array can add; else where they are first read. A division is done
 * there too if there is a divider, else on an array that has one, else as multiply-adds.
 */
export function termArrays(design: Design, { score, added }: ScoreCascade, wanted: Division | null): TermArrays {
  const { architecture, placement = [] } = design;
  const units = (array: string): ReadonlySet<string> =>
    new Set(Object.keys(architecture.data.arrays[array]?.operations ?? {}));
  const arrayOf = ({ name }: PlacedEinsum): string => variantsOf(design, name)[0]?.array ?? "";
  const makerEinsum = placement.find(({ output }) => output === score);
  const maker = makerEinsum === undefined ? "" : arrayOf(makerEinsum);
  const needed = added.some(({ role }) => role !== "biased") ? ["mac", "add"] : ["add"];
  const can = (array: string): boolean => needed.every(unit => units(array).has(unit));
  const readers = placement.filter(({ reads }) => reads.some(({ tensor }) => tensor === score));
  const reader = can(maker) ? undefined : readers.find(own => can(arrayOf(own)));
  if (!can(maker) && reader === undefined) {
    throw new SpecError({
      where: architecture.at(["arrays", maker, "operations"]),
      got: `${needed.join(" and ")} on no array that makes or reads ${score}`,
      expected: "an array that can cap and bias scores",
    });
  }
  const home = reader === undefined ? maker : arrayOf(reader);
  const used = [...new Set(placement.map(arrayOf))];
  const withDivider = [home, ...readers.map(arrayOf), ...used].find(array => units(array).has("divide"));
  const notes: string[] = [];
  if (wanted === "divider" && withDivider === undefined) {
    notes.push(`no array of ${design.name} has a divider: the soft-cap's divisions are charged as ${newtonText}`);
  }
  const division = wanted === "divider" && withDivider === undefined ? "multiply-adds" : wanted;
  const divider = division === "divider" ? (withDivider ?? home) : home;
  return { maker, home, divider, division, reader, notes };
}

/** 1 / d by Newton's iteration, x (2 - d x), which doubles the bits that are right: a seed of 4, three steps, the product with n. */
export const newtonMacs = 1 + 3 * 2 + 1;
const newtonText = `${newtonMacs} multiply-adds (a seed, three Newton steps, a product)`;
export const newtonSource = `a division as ${newtonText}`;

/** The levels from DRAM down to an array's registers. */
export function pathOf({ levels, arrays }: Architecture, array: string): readonly string[] {
  const path: string[] = [];
  for (let name = arrays[array]?.at; name !== undefined && !path.includes(name); ) {
    path.unshift(name);
    const level: Architecture["levels"][string] | undefined = levels[name];
    name = level === undefined || level.kind === "dram" ? undefined : level.within;
  }
  return path;
}

/** The Einsums that need the scores of their tile, directly or not, by their names in the mapping. */
export function dependents({ placement = [] }: Design, { score }: ScoreCascade): ReadonlySet<string> {
  const tensors = new Set([score]);
  const found = new Set<string>();
  for (let grows = true; grows; ) {
    grows = false;
    for (const { name, output, reads } of placement) {
      if (found.has(name) || !reads.some(({ tensor, carried }) => tensors.has(tensor) && !carried)) continue;
      found.add(name);
      tensors.add(output);
      grows = true;
    }
  }
  return found;
}

/** The first Einsum on an array that needs scores. */
export function firstDependent(design: Design, scores: ScoreCascade, array: string): string | undefined {
  const all = dependents(design, scores);
  const { placement = [] } = design;
  return [...placement]
    .sort((a, b) => a.index - b.index)
    .find(({ name }) => all.has(name) && variantsOf(design, name)[0]?.array === array)?.name;
}
