import { UsageError } from "../../errors.js";
import { isIdle } from "../../spec/schedule/notation.js";
import type { Schedule } from "../../spec/schedule/schedule.js";
import type { CompiledDesign } from "../compile.js";
import { findLags } from "./lags.js";
import { type ScheduledSizes, scheduleOfDesign } from "./of-design.js";
import type { StallCause } from "./result.js";
import { simulateSchedule } from "./simulate.js";
import type { DesignSimulationOptions } from "./simulate-design.js";
import { TileWalk } from "./walk.js";

/** One Einsum on one tile, as the first column sees it. */
export interface Slice {
  readonly array: string;
  /** Which of the array's interleaved streams: slices of one stream never overlap. */
  readonly stream: number;
  readonly einsum: string;
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
  readonly array: string;
  readonly cause: StallCause;
  readonly start: number;
  readonly end: number;
}

/** What the arrays do over some epochs. */
export interface Timeline {
  readonly schedule: Schedule;
  readonly epochs: EpochRange;
  /** By array, the cycle in which it begins each epoch, in order. */
  readonly begins: Readonly<Record<string, readonly number[]>>;
  readonly streams: Readonly<Record<string, number>>;
  /** The Einsums, array by array, in the order of the mapping. */
  readonly einsums: readonly string[];
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
 * @example
 * ```ts
 * import { accountingOf, compileDesign, loadDesign, loadWorkload, scheduleTimeline, sizesOf, specFiles } from "fusemax/node";
 *
 * const accounting = accountingOf("corrected", undefined);
 * const design = compileDesign(loadDesign(specFiles, "fusemax"), { corrections: accounting.corrections });
 * const sizes = sizesOf(loadWorkload(specFiles, "bert"), 4096);
 * const { slices } = scheduleTimeline(design, { sizes }, { first: 10, last: 11 });
 * console.log(slices[0]?.einsum, slices[0]?.start); // SLNV 1629
 * ```
 */
export function scheduleTimeline(
  compiled: CompiledDesign,
  sizes: ScheduledSizes,
  epochs: EpochRange,
  { memory = "dram" }: DesignSimulationOptions = {},
): Timeline {
  const design = scheduleOfDesign(compiled, sizes);
  const { spec, arrays, work, frequencyHz } = design;
  const schedule = findLags(spec, arrays, work);
  checkEpochs(epochs, epochsOf(schedule, work));

  const streamOf = new Map<string, { readonly stream: number; readonly letter: string }>();
  for (const stages of Object.values(schedule.programs)) {
    for (const { streams } of stages) {
      for (const [stream, op] of streams.entries())
        if (!isIdle(op)) streamOf.set(op.einsum, { stream, letter: op.tile });
    }
  }
  const open = new Map<string, { -readonly [K in keyof Slice]: Slice[K] }>();
  const slices: Slice[] = [];
  const stalls: { array: string; cause: StallCause; start: number; end: number }[] = [];
  const lastStall = new Map<string, (typeof stalls)[number]>();
  const names = Object.keys(schedule.programs);
  const begins = new Map(names.map(array => [array, [] as number[]]));
  const epochOf = new Map<string, number>();

  const enter = (array: string, epoch: number, cycle: number): void => {
    if (epochOf.get(array) === epoch) return;
    epochOf.set(array, epoch);
    begins.get(array)?.push(cycle);
  };
  simulateSchedule(schedule, arrays, work, {
    ...(memory === "dram" ? { dram: design.dram } : {}),
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
        const { head, m1, p } = place;
        const { stream = 0, letter = "" } = streamOf.get(einsum) ?? {};
        const times = { start: cycle, end: cycle + 1, issued: 1 };
        const slice = { array, stream, einsum, letter, tile, head, m1, p, epoch, ...times };
        open.set(einsum, slice);
        slices.push(slice);
      },
      onStall({ array, cause, epoch, cycle, cycles }) {
        enter(array, epoch, cycle);
        const last = lastStall.get(array);
        if (last !== undefined && last.end === cycle && last.cause === cause) last.end += cycles;
        else {
          const stall = { array, cause, start: cycle, end: cycle + cycles };
          lastStall.set(array, stall);
          stalls.push(stall);
        }
      },
    },
  });
  const streamCount = (array: string): number =>
    Math.max(...(schedule.programs[array] ?? []).map(({ streams }) => streams.length));
  return {
    schedule,
    epochs,
    begins: Object.fromEntries(begins),
    streams: Object.fromEntries(names.map(array => [array, streamCount(array)])),
    einsums: names.flatMap(array => arrays.einsums.flatMap(einsum => (einsum.array === array ? [einsum.name] : []))),
    slices,
    stalls,
    frequencyHz,
  };
}

const epochsOf = ({ lags }: Schedule, work: ConstructorParameters<typeof TileWalk>[0]): number =>
  new TileWalk(work).tiles + Math.max(...Object.values(lags));

/** How many epochs a design's schedule has: those of all tiles, and those in which the last of them drains. */
export function epochCount(compiled: CompiledDesign, sizes: ScheduledSizes): number {
  const { spec, arrays, work } = scheduleOfDesign(compiled, sizes);
  return epochsOf(findLags(spec, arrays, work), work);
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
