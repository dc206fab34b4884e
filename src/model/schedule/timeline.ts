import { UsageError } from "../../errors.js";
import { type ArrayName, arrayNames, type EinsumName } from "../../spec/schedule/einsums.js";
import { isIdle } from "../../spec/schedule/notation.js";
import type { Schedule } from "../../spec/schedule/schedule.js";
import type { CompiledDesign } from "../compile.js";
import type { Sizes } from "../sizes.js";
import { findLags } from "./lags.js";
import { type DesignSimulationOptions, scheduleOfDesign } from "./of-design.js";
import type { StallCause } from "./result.js";
import { simulateSchedule } from "./simulate.js";
import { TileWalk } from "./walk.js";

/** One Einsum on one tile, as the first column sees it. */
export interface Slice {
  readonly array: ArrayName;
  /** Which of the array's interleaved streams: slices of one stream never overlap. */
  readonly stream: number;
  readonly einsum: EinsumName;
  /** The letter by which the schedule calls the tile. */
  readonly letter: string;
  readonly tile: number;
  readonly head: number;
  readonly m1: number;
  /** The query tile within its head. */
  readonly p: number;
  readonly epoch: number;
  /** Cycles [start, end). */
  readonly start: number;
  readonly end: number;
  /** Cycles in which it was issued: fewer than end - start where it alternates or waits. */
  readonly issued: number;
}

export interface StallSlice {
  readonly array: ArrayName;
  readonly cause: StallCause;
  readonly start: number;
  readonly end: number;
}

/** What both arrays do over some epochs. */
export interface Timeline {
  readonly schedule: Schedule;
  readonly epochs: EpochRange;
  /** The cycle in which each array begins each epoch, in order. */
  readonly begins: Readonly<Record<ArrayName, readonly number[]>>;
  readonly streams: Readonly<Record<ArrayName, number>>;
  readonly slices: readonly Slice[];
  readonly stalls: readonly StallSlice[];
  readonly frequencyHz: number;
}

/** Epochs `first` to `last`, both included. */
export interface EpochRange {
  readonly first: number;
  readonly last: number;
}

/** More epochs than this make a trace that no viewer opens. */
export const mostEpochs = 10_000;

/**
 * Follows a design's schedule over some epochs; what lies before them is leapt over where it repeats.
 * @throws UsageError for epochs past the end or too many, SpecError as `simulateDesign`
 */
export function scheduleTimeline(
  compiled: CompiledDesign,
  sizes: Sizes,
  epochs: EpochRange,
  { memory = "dram" }: DesignSimulationOptions = {},
): Timeline {
  const { spec, machine, work, dram, frequencyHz } = scheduleOfDesign(compiled, sizes);
  const schedule = findLags(spec, machine, work);
  const walk = new TileWalk(machine, work);
  const all = walk.tiles + Math.max(...Object.values(schedule.lags));
  checkEpochs(epochs, all);

  const streamOf = new Map<EinsumName, { readonly stream: number; readonly letter: string }>();
  for (const array of arrayNames) {
    for (const { streams } of schedule.programs[array]) {
      for (const [stream, op] of streams.entries())
        if (!isIdle(op)) streamOf.set(op.einsum, { stream, letter: op.tile });
    }
  }
  const open = new Map<EinsumName, { -readonly [K in keyof Slice]: Slice[K] }>();
  const slices: Slice[] = [];
  const stalls: { array: ArrayName; cause: StallCause; start: number; end: number }[] = [];
  const lastStall: Partial<Record<ArrayName, (typeof stalls)[number]>> = {};
  const begins: Record<ArrayName, number[]> = { "2d": [], "1d": [] };
  const epochOf: Record<ArrayName, number> = { "2d": -1, "1d": -1 };

  const enter = (array: ArrayName, epoch: number, cycle: number): void => {
    if (epochOf[array] === epoch) return;
    epochOf[array] = epoch;
    begins[array].push(cycle);
  };
  simulateSchedule(schedule, machine, work, {
    ...(memory === "dram" ? { dram } : {}),
    watch: {
      from: epochs.first,
      until: epochs.last + 1,
      onIssue({ array, einsum, tile, place, epoch, cycle }) {
        enter(array, epoch, cycle);
        const now = open.get(einsum);
        if (now !== undefined && now.tile === tile) {
          now.end = cycle + 1;
          now.issued++;
          return;
        }
        const { head, block, m1, p1 } = place;
        const { stream = 0, letter = "" } = streamOf.get(einsum) ?? {};
        const p = block * walk.blockTiles + p1;
        const slice = {
          array,
          stream,
          einsum,
          letter,
          tile,
          head,
          m1,
          p,
          epoch,
          start: cycle,
          end: cycle + 1,
          issued: 1,
        };
        open.set(einsum, slice);
        slices.push(slice);
      },
      onStall({ array, cause, epoch, cycle, cycles }) {
        enter(array, epoch, cycle);
        const last = lastStall[array];
        if (last !== undefined && last.end === cycle && last.cause === cause) last.end += cycles;
        else {
          const stall = { array, cause, start: cycle, end: cycle + cycles };
          lastStall[array] = stall;
          stalls.push(stall);
        }
      },
    },
  });
  const streamCount = (array: ArrayName): number =>
    Math.max(...schedule.programs[array].map(({ streams }) => streams.length));
  return {
    schedule,
    epochs,
    begins,
    streams: { "2d": streamCount("2d"), "1d": streamCount("1d") },
    slices,
    stalls,
    frequencyHz,
  };
}

function checkEpochs({ first, last }: EpochRange, all: number): void {
  const got = `${first}..${last}`;
  if (!(first <= last && last < all)) {
    throw new UsageError({ where: "epochs", got, expected: `a range within 0..${all - 1}` });
  }
  if (last - first >= mostEpochs) {
    throw new UsageError({ where: "epochs", got, expected: `at most ${mostEpochs} of them` });
  }
}
