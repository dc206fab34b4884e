import { SpecError } from "../../errors.js";
import type { TileWork } from "../../spec/schedule/machine.js";
import { hasAutoLag, type Schedule, type ScheduleSpec, withLag } from "../../spec/schedule/schedule.js";
import { planOf } from "./actions.js";
import { crossingsOf, type TileArrays } from "./arrays.js";
import { layOut } from "./program.js";
import { simulateSchedule } from "./simulate.js";

/** Lags past this are not tried: a 512 x 512 array needs 8. */
const largestLag = 32;

/** Larger lags are given up after so many that were no better. */
const patience = 3;

/** Key tiles of a trial run: enough for the pipeline to fill at any lag that is tried, and to repeat. */
const trialKeyTiles = 3 * largestLag;

const found = new Map<string, Schedule>();
const mostFound = 10_000;

interface Trial {
  readonly schedule: Schedule;
  /** Cycles of an epoch in the middle of a query block. */
  readonly epoch: number;
}

/**
 * Sets the lag of the letters that are `auto`: the smallest with which an epoch in the middle of a query block takes the
 * fewest cycles, among those that fit the register files. Each is tried by simulation, with ideal memory and no mask.
 * @throws SpecError where no lag fits the machine
 */
export function findLags(spec: ScheduleSpec, arrays: TileArrays, work: TileWork): Schedule {
  if (!hasAutoLag(spec)) return withLag(spec, 0);
  const queryTiles = Math.max(1, ...work.sequences.map(({ rows }) => Math.ceil(rows / work.tileRows)));
  const inBlock = Math.min(work.blockTiles, queryTiles) * Math.max(...work.headTiles);
  // Few query tiles per block keep the trial short; what matters is whether a tile's carried values come from the tile before.
  const blockTiles = Math.min(inBlock, 4);
  const trial: TileWork = {
    ...work,
    sequences: [{ count: 1, rows: blockTiles * work.tileRows, keys: trialKeyTiles * work.tileKeys }],
    group: 1,
    window: { left: -1, right: -1 },
    heads: 1,
    headTiles: [1],
    blockTiles,
  };
  const key = keyOf([spec, arrays, trial]);
  const known = found.get(key);
  if (known !== undefined) return known;
  const schedule = bestOf(spec, arrays, trial);
  if (found.size >= mostFound) found.clear();
  found.set(key, schedule);
  return schedule;
}

/** Data as text that equal data share. */
export const keyOf = (data: unknown): string =>
  JSON.stringify(data, (_, value) => (value === Number.POSITIVE_INFINITY ? "unlimited" : value));

function bestOf(spec: ScheduleSpec, arrays: TileArrays, work: TileWork): Schedule {
  const tried = new Map<number, Trial | SpecError>();
  const attempt = (lag: number): Trial | SpecError => {
    const before = tried.get(lag);
    const trial = before ?? tryLag(withLag(spec, lag), arrays, work);
    if (before === undefined) tried.set(lag, trial);
    return trial;
  };
  // An epoch cannot be shorter than an array's operations. The first lag that covers the way between the arrays and back
  // mostly reaches that; one less then shows that it is the smallest.
  const shortest = shortestEpoch(withLag(spec, 0), arrays);
  const likely = Math.ceil(wayAndBack(arrays) / shortest);
  if (likely > largestLag) return search(attempt);
  const at = attempt(likely);
  const below = likely === 0 ? at : attempt(likely - 1);
  const reaches = (trial: Trial | SpecError): boolean => !(trial instanceof SpecError) && trial.epoch === shortest;
  if (!(at instanceof SpecError) && reaches(at) && !reaches(below)) return at.schedule;
  return search(attempt);
}

/** All lags from 0 up, until some in a row are no better. */
function search(attempt: (lag: number) => Trial | SpecError): Schedule {
  let best: Trial | null = null;
  let refusal: SpecError | null = null;
  let inVain = 0;
  for (let lag = 0; lag <= largestLag && inVain < patience; lag++) {
    const trial = attempt(lag);
    if (trial instanceof SpecError) {
      refusal ??= trial;
      if (best !== null) break; // a larger lag needs more registers still
    } else if (best === null || trial.epoch < best.epoch) {
      best = trial;
      inVain = 0;
    } else inVain++;
  }
  if (best === null) throw refusal;
  return best.schedule;
}

function tryLag(schedule: Schedule, arrays: TileArrays, work: TileWork): Trial | SpecError {
  try {
    const { epoch, cycles, tiles } = simulateSchedule(schedule, arrays, work, { untilPeriod: true });
    return { schedule, epoch: epoch === null ? cycles / tiles : epoch.cycles / epoch.tiles };
  } catch (error) {
    if (error instanceof SpecError) return error;
    throw error;
  }
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

/** Cycles of the longest way from one array to another, and of the longest way back. */
function wayAndBack(arrays: TileArrays): number {
  const longest = new Map<string, number>();
  const arrayOf = (name: string): string => arrays.einsums.find(einsum => einsum.name === name)?.array ?? "";
  for (const { maker, user, latency } of crossingsOf(arrays)) {
    const way = `${arrayOf(maker)} ${arrayOf(user)}`;
    longest.set(way, Math.max(longest.get(way) ?? 0, latency));
  }
  return Math.max(0, [...longest.values()].reduce((sum, latency) => sum + latency, 0) - 1);
}
