import type { Cascade } from "./cascade.js";

/** Over how many points the Einsums of a cascade run together, those included that a filter leaves out. */
export function pointsOf(cascade: Cascade, sizes: ReadonlyMap<string, number>): number {
  return cascade.einsums.reduce((sum, { free, reduced }) => {
    const ranks = [...free, ...reduced].map(variable => cascade.ranks.ofVariable(variable).name);
    return sum + ranks.reduce((product, rank) => product * (sizes.get(rank) ?? 1), 1);
  }, 0);
}
