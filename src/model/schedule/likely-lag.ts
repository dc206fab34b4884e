import { type Schedule, type ScheduleSpec, withLag } from "../../spec/schedule/schedule.js";
import { planOf } from "./actions.js";
import { crossingsOf, type TileArrays } from "./arrays.js";
import { layOut } from "./program.js";

/** Where a search for a lag begins. */
export interface LikelyLag {
  /** Cycles that no epoch can be shorter than: an array's operations. */
  readonly shortest: number;
  /** The first lag that covers the way between the arrays and back in such epochs. Mostly they are reached there. */
  readonly lag: number;
}

export function likelyLag(spec: ScheduleSpec, arrays: TileArrays): LikelyLag {
  const shortest = shortestEpoch(withLag(spec, 0), arrays);
  return { shortest, lag: Math.ceil(wayAndBack(arrays) / shortest) };
}

/** The most operations of an array in an epoch in the middle of a block. */
function shortestEpoch(schedule: Schedule, arrays: TileArrays): number {
  const { einsums, actions } = planOf(schedule, arrays);
  const numberOf = (name: string): number => einsums.findIndex(einsum => einsum.name === name);
  return Math.max(
    ...Object.values(schedule.programs).map(stages => {
      const epoch = layOut(stages, {
        einsumOf: ({ einsum }) => einsums[numberOf(einsum)] as TileArrays["einsums"][number],
        actionsOf: ({ einsum }) => actions[numberOf(einsum)] ?? [],
        presence: ({ einsum }) => (einsums[numberOf(einsum)]?.when === "every" ? "there" : "none"),
      });
      return epoch.actions.length;
    }),
  );
}

/** Cycles of the way from one array to another and back: of all ways that values go, but for the cycle in which they are made. */
function wayAndBack(arrays: TileArrays): number {
  // All values that go one way take as long.
  const ways = new Map<string, number>();
  const arrayOf = (name: string): string => arrays.einsums.find(einsum => einsum.name === name)?.array ?? "";
  for (const { maker, user, latency } of crossingsOf(arrays)) ways.set(`${arrayOf(maker)} ${arrayOf(user)}`, latency);
  return Math.max(0, [...ways.values()].reduce((sum, latency) => sum + latency, 0) - 1);
}
