import type { Stage } from "../../spec/schedule/notation.js";
import type { ScheduleSpec } from "../../spec/schedule/schedule.js";
import type { TileEinsum } from "./dataflows.js";

/**
 * The schedule of a design that names none: one tile at a time, each array's Einsums in the order of the mapping. Einsums
 * that take one another's values point by point alternate.
 */
export const oneTileSchedule = (einsums: readonly TileEinsum[]): ScheduleSpec => ({
  name: "one-tile",
  lags: { a: 0 },
  programs: programsOf(inOrder(einsums), () => "a"),
});

/** Each array's Einsums in their order, each on the tile of its letter; those that take one another's values point by point alternate. */
export function programsOf(
  ordered: readonly TileEinsum[],
  letterOf: (einsum: TileEinsum) => string,
): ScheduleSpec["programs"] {
  const arrays = [...new Set(ordered.map(({ array }) => array))];
  const programs = arrays.map((array): [string, readonly Stage[]] => {
    const groups: TileEinsum[][] = [];
    for (const einsum of ordered.filter(own => own.array === array)) {
      const group = groups.at(-1);
      const joins = group?.every(
        other =>
          other.when === einsum.when &&
          letterOf(other) === letterOf(einsum) &&
          other.points > 1 &&
          einsum.uses.some(use => use.einsum === other.name && use.pointwise),
      );
      if (group !== undefined && joins === true) group.push(einsum);
      else groups.push([einsum]);
    }
    const streams = (group: readonly TileEinsum[]) => group.map(own => ({ einsum: own.name, tile: letterOf(own) }));
    return [array, groups.map(group => ({ streams: streams(group) }))];
  });
  return Object.fromEntries(programs);
}

/** Einsums in the mapping's order, but each after those of its tile that it uses. */
export function inOrder(einsums: readonly TileEinsum[]): readonly TileEinsum[] {
  const left = [...einsums];
  const ordered: TileEinsum[] = [];
  while (left.length > 0) {
    const ready = left.findIndex(({ uses }) => uses.every(use => left.every(({ name }) => name !== use.einsum)));
    ordered.push(...left.splice(Math.max(0, ready), 1));
  }
  return ordered;
}
