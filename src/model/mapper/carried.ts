import type { PlacedOption } from "./option.js";
import type { Place } from "./place.js";
import type { MapperProblem } from "./problem.js";

/**
 * Whether an Einsum at a place is on the array of those with which it shares what is carried from tile to tile, as far as they have
 * places: a schedule has no way from array to array for it.
 */
export function staysOnArray(
  { facts, einsums, makerOf }: MapperProblem,
  chosen: readonly { readonly option: PlacedOption }[],
  from: number,
  i: number,
  { array }: Place,
): boolean {
  const makersOf = (e: number): readonly number[] =>
    facts.reads(einsums[e]?.name ?? "").flatMap(({ tensor, when }) => (when === "carried" ? [makerOf(tensor)] : []));
  const own = makersOf(i);
  return chosen.every(
    ({ option }, c) => option.place.array === array || !(own.includes(from + c) || makersOf(from + c).includes(i)),
  );
}
