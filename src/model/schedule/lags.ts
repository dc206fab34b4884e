import { SpecError } from "../../errors.js";
import type { TileWork } from "../../spec/schedule/machine.js";
import { hasAutoLag, type Schedule, type ScheduleSpec, withLag } from "../../spec/schedule/schedule.js";
import type { TileArrays } from "./arrays.js";
import { bestLag, largestLag } from "./lag-search.js";
import { likelyLag } from "./likely-lag.js";
import type { ScheduleResult } from "./result.js";
import { simulateSchedule } from "./simulate.js";

/** Key tiles of a trial run: enough for the pipeline to fill at any lag that is tried, and to repeat. */
const trialKeyTiles = 3 * largestLag;

/** Query tiles of its block at the most: whether a tile's carried values come from the tile before is what matters. */
const trialQueryTiles = 4;

const found = new Map<string, Schedule>();
const mostFound = 10_000;

/**
 * Sets the lag of the letters that are `auto`: the smallest with which an epoch in the middle of a query block takes the
 * fewest cycles, among those that fit the register files. Each is tried by simulation, with ideal memory and no mask.
 * @throws SpecError where no lag fits the machine
 */
export function findLags(spec: ScheduleSpec, arrays: TileArrays, work: TileWork): Schedule {
  if (!hasAutoLag(spec)) return withLag(spec, 0);
  const trial = trialOf(work);
  const key = keyOf([spec, arrays, trial]);
  const known = found.get(key);
  if (known !== undefined) return known;
  const attempt = (lag: number): number | SpecError => {
    try {
      return epochOf(simulateSchedule(withLag(spec, lag), arrays, trial, { untilPeriod: true }));
    } catch (error) {
      if (error instanceof SpecError) return error;
      throw error;
    }
  };
  const schedule = withLag(spec, bestLag(attempt, likelyLag(spec, arrays)));
  if (found.size >= mostFound) found.clear();
  found.set(key, schedule);
  return schedule;
}

/** The work of a trial run: one head with one block of few query tiles, of which none is masked or partial. */
export function trialOf(work: TileWork): TileWork {
  const queryTiles = Math.max(1, ...work.sequences.map(({ rows }) => Math.ceil(rows / work.tileRows)));
  const inBlock = Math.min(work.blockTiles, queryTiles) * Math.max(...work.headTiles);
  const blockTiles = Math.min(inBlock, trialQueryTiles);
  return {
    ...work,
    sequences: [{ count: 1, rows: blockTiles * work.tileRows, keys: trialKeyTiles * work.tileKeys }],
    group: 1,
    window: { left: -1, right: -1 },
    heads: 1,
    headTiles: [1],
    blockTiles,
  };
}

/** Cycles of an epoch in the middle of a query block; their mean over the run where none repeats. */
export const epochOf = ({ epoch, cycles, tiles }: Pick<ScheduleResult, "epoch" | "cycles" | "tiles">): number =>
  epoch === null ? cycles / tiles : epoch.cycles / epoch.tiles;

/** Data as text that equal data share. */
export const keyOf = (data: unknown): string =>
  JSON.stringify(data, (_, value) => (value === Number.POSITIVE_INFINITY ? "unlimited" : value));
