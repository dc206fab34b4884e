import { SpecError } from "../../errors.js";
import { type ArrayName, arrayNames } from "../../spec/schedule/einsums.js";
import type { ScheduleMachine, ScheduleWork } from "../../spec/schedule/machine.js";
import { hasAutoLag, type Schedule, type ScheduleSpec, withLag } from "../../spec/schedule/schedule.js";
import { layOut, slotsOf } from "./program.js";
import { simulateSchedule } from "./simulate.js";

/** Lags past this are not tried: a 512 x 512 array needs 8. */
const largestLag = 32;

/** Larger lags are given up after so many that were no better. */
const patience = 3;

/** Key tiles of a trial run: enough for the pipeline to fill at any lag that is tried, and to repeat. */
const trialKeyTiles = 3 * largestLag;

const found = new Map<string, Schedule>();

interface Trial {
  readonly schedule: Schedule;
  /** Cycles of an epoch in the middle of a query block. */
  readonly epoch: number;
}

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
  const schedule = bestOf(spec, machine, trial);
  found.set(key, schedule);
  return schedule;
}

function bestOf(spec: ScheduleSpec, machine: ScheduleMachine, work: ScheduleWork): Schedule {
  const tried = new Map<number, Trial | SpecError>();
  const attempt = (lag: number): Trial | SpecError => {
    const before = tried.get(lag);
    const trial = before ?? tryLag(withLag(spec, lag), machine, work);
    if (before === undefined) tried.set(lag, trial);
    return trial;
  };
  // An epoch cannot be shorter than an array's operations. The first lag that covers LM's way down and RM's back mostly
  // reaches that; one less then shows that it is the smallest.
  const shortest = Math.max(...arrayNames.map(array => slotsOfEpoch(spec, array, machine, work)));
  const back = machine.rmReturn.by === "columns" ? machine.rows : machine.rmReturn.latencyCycles;
  const likely = Math.ceil((machine.rows + back) / shortest);
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

function tryLag(schedule: Schedule, machine: ScheduleMachine, work: ScheduleWork): Trial | SpecError {
  try {
    const { epoch, cycles, tiles } = simulateSchedule(schedule, machine, work, { untilPeriod: true });
    return { schedule, epoch: epoch === null ? cycles / tiles : epoch.cycles / epoch.tiles };
  } catch (error) {
    if (error instanceof SpecError) return error;
    throw error;
  }
}

/** Operations of an array in an epoch without AV. */
function slotsOfEpoch(spec: ScheduleSpec, array: ArrayName, machine: ScheduleMachine, work: ScheduleWork): number {
  const there = layOut(
    spec.programs[array],
    einsum => slotsOf(einsum, work, machine),
    ({ einsum }) => (einsum === "AV" ? "none" : "there"),
  );
  return there.code.length;
}
