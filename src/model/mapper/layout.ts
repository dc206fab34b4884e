import type { Place } from "./place.js";
import type { MapperProblem } from "./problem.js";

/** Which rank lies over each fan-out of each array, for every Einsum of a block that has it: PEs then find what others left. */
export type Layout = ReadonlyMap<string, readonly number[]>;

/** Layouts that a limited search begins with, at the most. */
const mostLayouts = 24;

/** Every layout of the ranks that several Einsums of a block have. */
export function layoutsOf(
  { einsums, ranks, arrays, compiled }: MapperProblem,
  from: number,
  to: number,
): readonly Layout[] {
  // What passes in a register file around the fan-outs is there however they are laid over.
  if (arrays.every(({ buffer }) => compiled.levels.get(buffer)?.spec.kind === "registers")) return [];
  const block = einsums.slice(from, to);
  const shared = ranks.flatMap(({ size }, r) => {
    const own = block.filter(einsum => einsum.ranks.some(({ rank, inner }) => rank === r && inner));
    return size > 1 && own.length >= Math.min(2, block.length) ? [r] : [];
  });
  const choose = (count: number, left: readonly number[]): readonly (readonly number[])[] =>
    count === 0 || left.length === 0
      ? [[]]
      : left.flatMap(rank =>
          choose(
            count - 1,
            left.filter(r => r !== rank),
          ).map(rest => [rank, ...rest]),
        );
  const all = arrays.reduce<readonly Layout[]>(
    (before, { name, fanouts }) =>
      before.flatMap(layout => choose(fanouts.length, shared).map(over => new Map([...layout, [name, over]]))),
    [new Map()],
  );
  return all.slice(0, mostLayouts);
}

/** Whether a place lays the ranks that an Einsum has as a layout says. */
export function follows(layout: Layout, place: Place, has: (rank: number) => boolean): boolean {
  const wanted = layout.get(place.array.name) ?? [];
  return place.over.every((laid, i) => {
    const own = wanted[i];
    return own === undefined || !has(own) || laid?.rank === own;
  });
}
