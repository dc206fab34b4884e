import type { TileEinsum } from "../../src/model/schedule/dataflows.js";
import { isIdle, type Stage } from "../../src/spec/schedule/notation.js";
import type { Schedule } from "../../src/spec/schedule/schedule.js";
import type { Tile } from "./every-tile.js";

/** Why a schedule cannot run. */
export class Refusal extends Error {}

/** Where the Einsums of an array are in its program. */
export function placesOf(stages: readonly Stage[], { lags }: Schedule) {
  return stages.flatMap(({ streams }, stage) =>
    streams.flatMap((entry, stream) =>
      isIdle(entry) ? [] : [{ name: entry.einsum, lag: lags[entry.tile] ?? 0, stage, stream }],
    ),
  );
}

/** An array issues in order: what it makes itself it has made before its use, on each tile and from key tile to key tile. */
export function checkPlaces(schedule: Schedule, einsums: readonly TileEinsum[], tiles: readonly Tile[]): void {
  const all = Object.values(schedule.programs).map(stages => placesOf(stages, schedule));
  const leads = all.some(places =>
    places.some(({ name, lag }) => lag === 0 && einsums.some(own => own.name === name && own.when === "every")),
  );
  if (!leads) throw new Refusal("no leader");
  // From each tile to the next of its queries.
  const back: number[] = [];
  const before = new Map<string, number>();
  tiles.forEach(({ queries }, n) => {
    const at = before.get(queries);
    if (at !== undefined) back.push(n - at);
    before.set(queries, n);
  });
  for (const places of all) {
    for (const user of places) {
      const op = einsums.find(({ name }) => name === user.name);
      for (const maker of places) {
        const use = op?.uses.find(({ einsum }) => einsum === maker.name);
        const isBefore = (epochs: number, alternates: boolean): boolean =>
          epochs > 0 ||
          (epochs === 0 &&
            (maker.stage < user.stage || (alternates && maker.stage === user.stage && maker.stream < user.stream)));
        if (use !== undefined && !isBefore(user.lag - maker.lag, use.pointwise)) throw new Refusal("order");
        if (op?.carries.includes(maker.name) !== true) continue;
        if (back.some(tilesBack => !isBefore(user.lag - maker.lag + tilesBack, false))) throw new Refusal("carried");
      }
    }
  }
}
