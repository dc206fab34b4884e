import { SpecError } from "../../errors.js";
import type { ScheduleMachine, ScheduleWork } from "../../spec/schedule/machine.js";
import { hasAutoLag, type Schedule, type ScheduleSpec, withLag } from "../../spec/schedule/schedule.js";
import { simulateSchedule } from "./simulate.js";

/** Lags past this are not tried: a 512 x 512 array needs 8. */
const largestLag = 32;

/** Larger lags are given up after so many that were no better. */
const patience = 3;

/** Key tiles of a trial run: enough for the pipeline to fill at any lag that is tried, and to repeat. */
const trialKeyTiles = 3 * largestLag;

const found = new Map<string, Schedule>();

/**
 * Sets the lag of the letters that are `auto`: the smallest with which an epoch in the middle of a query block takes the
 * fewest cycles, among those that fit the register files. Each is tried by simulation, with ideal memory.
 * @throws SpecError where no lag fits the machine
 */
export function findLags(spec: ScheduleSpec, machine: ScheduleMachine, work: ScheduleWork): Schedule {
  if (!hasAutoLag(spec)) return withLag(spec, 0);
  const queryTiles = Math.ceil(work.queries / machine.columns);
  // Few query tiles a block keep the trial short; what matters is whether a tile's carried values come from the tile before.
  const blockTiles = Math.min(work.blockTiles, queryTiles, 4);
  const trial: ScheduleWork = {
    ...work,
    heads: 1,
    blockTiles,
    queries: blockTiles * machine.columns,
    keys: trialKeyTiles * machine.rows,
  };
  const key = JSON.stringify([spec, machine, trial], (_, value) => (value === Infinity ? "unlimited" : value));
  const known = found.get(key);
  if (known !== undefined) return known;

  let best: { readonly schedule: Schedule; readonly epoch: number } | null = null;
  let refusal: unknown;
  let inVain = 0;
  for (let lag = 0; lag <= largestLag; lag++) {
    const schedule = withLag(spec, lag);
    try {
      const { epoch, cycles, tiles } = simulateSchedule(schedule, machine, trial);
      const perTile = epoch === null ? cycles / tiles : epoch.cycles / epoch.tiles;
      if (best === null || perTile < best.epoch) {
        best = { schedule, epoch: perTile };
        inVain = 0;
      } else if (++inVain === patience) break;
    } catch (error) {
      if (!(error instanceof SpecError)) throw error;
      refusal ??= error;
      if (best !== null) break; // a larger lag needs more registers still
    }
  }
  if (best === null) throw refusal;
  found.set(key, best.schedule);
  return best.schedule;
}
