import { SpecError } from "../../errors.js";
import { type ArrayName, dataflows, type EinsumName, einsumNames } from "../../spec/schedule/einsums.js";
import type { ArrivalSchedule, DramChannel, ScheduleMachine, ScheduleWork } from "../../spec/schedule/machine.js";
import type { Schedule } from "../../spec/schedule/schedule.js";
import { dramMemory, givenArrivals, type TileMemory } from "./memory.js";
import { checkOrder } from "./order.js";
import { einsumCode, idleSlot } from "./program.js";
import { type ArrayTime, type ScheduleResult, type StallCause, stallCauses } from "./result.js";
import { SteadyState } from "./steady-state.js";
import { causeCode, TileMachine } from "./tile-machine.js";
import { Track } from "./track.js";
import { type TilePlace, TileWalk } from "./walk.js";

export interface SimulationOptions {
  /** Where the operands come from: always there (the default), there from given cycles on, or from DRAM. */
  readonly arrivals?: ArrivalSchedule;
  readonly dram?: DramChannel;
  /** Whether exact repetition may be leapt over; true by default. Given arrivals do not repeat. */
  readonly leap?: boolean;
  /** Stops once key tiles are seen to repeat: for the epoch's length alone. */
  readonly untilPeriod?: boolean;
  /** Watches the epochs `from` up to but not including `until`; the simulation stops there. */
  readonly watch?: Watch;
}

export interface Watch {
  readonly from: number;
  readonly until: number;
  /** Called for every operation issued, in the order of cycles. */
  readonly onIssue: (issue: Issue) => void;
  /** Called for every stretch of cycles in which an array issued nothing. */
  readonly onStall: (stall: Stall) => void;
}

/** One operation issued at the first column. */
export interface Issue {
  readonly array: ArrayName;
  readonly einsum: EinsumName;
  readonly step: number;
  readonly tile: number;
  readonly place: TilePlace;
  readonly epoch: number;
  readonly cycle: number;
}

export interface Stall {
  readonly array: ArrayName;
  readonly cause: StallCause;
  readonly epoch: number;
  readonly cycle: number;
  readonly cycles: number;
}

/** Counters: a busy count per Einsum, then a stall count per cause for each array, then DRAM bytes. */
const causeBase = { "2d": einsumNames.length, "1d": einsumNames.length + stallCauses.length } as const;
const bytesAt = causeBase["1d"] + stallCauses.length;
const never = Number.POSITIVE_INFINITY;
/** Tiles that are stepped through before a run that does not repeat is given up: a minute or two. */
const mostTilesStepped = 5e6;

/**
 * Executes a schedule: each array issues its epoch's operations in order, one a cycle, each when its operands are there.
 * Everything is skewed alike over the columns, so that it is enough to follow the first.
 * @throws SpecError where the schedule deadlocks, uses a value before it is made, or needs more registers than there are
 */
export function simulateSchedule(
  schedule: Schedule,
  machine: ScheduleMachine,
  work: ScheduleWork,
  options: SimulationOptions = {},
): ScheduleResult {
  return new Simulation(schedule, machine, work, options).run();
}

class Simulation {
  private readonly walk: TileWalk;
  private readonly memory: TileMemory | null;
  private readonly state: TileMachine;
  private readonly grid: Track;
  private readonly lane: Track;
  private readonly steady: SteadyState;
  private readonly mayLeap: boolean;
  private readonly counters = new Float64Array(bytesAt + 1);
  /** What the leaps add to the counters. */
  private readonly growth = new Float64Array(bytesAt + 1);
  private firstIssue = -1;
  /** What was leapt over: tiles and cycles are counted without it while the simulation runs. */
  private readonly leapt = { cycles: 0, tiles: 0 };

  constructor(
    private readonly schedule: Schedule,
    machine: ScheduleMachine,
    work: ScheduleWork,
    private readonly options: SimulationOptions,
  ) {
    const { dram, arrivals, leap = true } = options;
    this.walk = new TileWalk(machine, work);
    checkOrder(schedule, this.walk);
    this.memory =
      dram !== undefined ? dramMemory(dram, work, this.walk) : arrivals !== undefined ? givenArrivals(arrivals) : null;
    this.state = new TileMachine(schedule.name, machine, work, this.memory);
    this.grid = new Track("2d", schedule, machine, work, this.walk);
    this.lane = new Track("1d", schedule, machine, work, this.walk);
    this.steady = new SteadyState(this.walk);
    this.mayLeap = leap && arrivals === undefined;
  }

  run(): ScheduleResult {
    const { state, grid, lane } = this;
    const until = this.options.watch?.until ?? never;
    grid.begin();
    lane.begin();
    while (!(grid.done && lane.done) && this.leapt.tiles + Math.min(grid.epoch, lane.epoch) < until) {
      if (grid.fresh) {
        grid.fresh = false;
        if (grid.epoch > mostTilesStepped) throw this.endless();
        this.walk.anchor(grid.epoch);
        if (this.mayLeap && this.steady.watches(grid.epoch)) this.tryLeap();
        if (this.options.untilPeriod === true && this.steady.period !== null) break;
      }
      state.open();
      // The 1D array goes first to a port: its rows belong to older tiles.
      const next = Math.min(this.advance(lane), this.advance(grid));
      if (next === never) throw this.deadlock();
      if (lane.blocked) this.countStall(lane, next - state.cycle);
      if (grid.blocked) this.countStall(grid, next - state.cycle);
      state.cycle = next;
    }
    state.countRegisters();
    return this.result();
  }

  /** One cycle of an array. Returns the next cycle in which it may do something. */
  private advance(track: Track): number {
    const { state } = this;
    track.blocked = false;
    if (track.done) return never;
    if (!state.issue(track)) {
      track.blocked = true;
      track.cause = state.stall;
      return state.readyAt;
    }
    const op = track.program.code[track.pc] as number;
    if (op === idleSlot) {
      track.cause = causeCode.idle;
      this.countStall(track, 1);
    } else {
      if (this.firstIssue < 0) this.firstIssue = state.cycle;
      this.counters[op] = (this.counters[op] as number) + 1;
      if (this.options.watch !== undefined && this.watches(track)) this.report(track, op);
    }
    if (++track.pc === track.program.code.length) {
      track.next();
      track.finishedAt = state.cycle + 1;
    }
    return state.cycle + 1;
  }

  private watches(track: Track): boolean {
    const { watch } = this.options;
    const epoch = track.epoch + this.leapt.tiles;
    return watch !== undefined && epoch >= watch.from && epoch < watch.until;
  }

  private report(track: Track, op: number): void {
    const tile = track.tileOf[op] as number;
    const place = this.walk.place(tile);
    if (place === null) return;
    this.options.watch?.onIssue({
      array: track.array,
      einsum: einsumNames[op] as EinsumName,
      step: track.program.step[track.pc] as number,
      tile: tile + this.leapt.tiles,
      place,
      epoch: track.epoch + this.leapt.tiles,
      cycle: this.state.cycle + this.leapt.cycles,
    });
  }

  /** Waits for memory and ports are what they are; any other is the pipeline's, while it fills or drains. */
  private countStall(track: Track, cycles: number): void {
    const external = track.cause >= causeCode.port && track.cause <= causeCode.BV;
    const inPipeline = track.fills ? causeCode.fill : track.drains ? causeCode.drain : track.cause;
    const cause = external ? track.cause : inPipeline;
    const at = causeBase[track.array] + cause;
    this.counters[at] = (this.counters[at] as number) + cycles;
    if (!this.watches(track)) return;
    const name = stallCauses[cause] as StallCause;
    this.options.watch?.onStall({
      array: track.array,
      cause: name,
      epoch: track.epoch + this.leapt.tiles,
      cycle: this.state.cycle + this.leapt.cycles,
      cycles,
    });
  }

  private tryLeap(): void {
    const { state, grid, lane, counters, memory, leapt } = this;
    counters[bytesAt] = memory?.bytes() ?? 0;
    const leap = this.steady.observe({
      cycle: state.cycle,
      newestTile: grid.epoch,
      oldestTile: Math.min(grid.oldestTile(), lane.oldestTile()),
      state: `${lane.epoch - grid.epoch},${lane.pc},${lane.rowsRead},${grid.rowsRead}|${state.describe()}|${this.loads()}`,
      counters: counters.slice(),
      cursor: memory?.cursor() ?? null,
      tilesToWatched: (this.options.watch?.from ?? never) - leapt.tiles - grid.epoch,
    });
    if (leap === null) return;
    const { periods, period } = leap;
    for (let i = 0; i <= bytesAt; i++) {
      this.growth[i] = (this.growth[i] as number) + periods * (period.growth[i] as number);
    }
    leapt.cycles += periods * period.cycles;
    leapt.tiles += periods * period.tiles;
    this.walk.leap(grid.epoch, periods * period.tilesInBlock, periods * period.blocks);
    memory?.leap(periods * period.blocks, periods * period.keyTiles);
  }

  private loads(): string {
    const place = this.walk.place(this.grid.epoch);
    if (this.memory === null || place === null) return "";
    const { head, block, m1 } = place;
    return this.memory.state(this.state.cycle, head * this.walk.blocks + block, m1);
  }

  private endless(): SpecError {
    return new SpecError({
      where: `schedule "${this.schedule.name}"`,
      got: `a run of ${this.walk.tiles} tiles in which nothing repeats`,
      expected: `one that repeats, or at most ${mostTilesStepped} tiles`,
      mend: "simulate a shorter sequence",
    });
  }

  private deadlock(): SpecError {
    const says = (track: Track): string =>
      track.done
        ? `the ${track.array} array has finished`
        : `the ${track.array} array waits with ${track.nextText()} for ${stallCauses[track.cause]}`;
    return new SpecError({
      where: `schedule "${this.schedule.name}"`,
      got: `a deadlock in cycle ${this.state.cycle}: ${says(this.grid)}, ${says(this.lane)}`,
      expected: "a schedule in which one of the arrays can go on",
      mend: "enlarge the lag of the letter that waits, or do earlier what makes the value it waits for",
    });
  }

  private result(): ScheduleResult {
    const { state, memory, walk, steady, leapt } = this;
    for (const track of [this.grid, this.lane]) {
      if (!track.done) continue;
      const drain = causeBase[track.array] + causeCode.drain;
      this.counters[drain] = (this.counters[drain] as number) + Math.max(0, state.end - track.finishedAt);
    }
    this.counters[bytesAt] = memory?.bytes() ?? 0;
    const counters = this.counters.map((count, i) => count + (this.growth[i] as number));
    const timeOf = (array: ArrayName): ArrayTime => {
      const here = einsumNames.filter(name => dataflows[name].array === array);
      const busy = Object.fromEntries(here.map(name => [name, counters[einsumCode[name]] as number]));
      const stalls = Object.fromEntries(
        stallCauses.map((cause, i) => [cause, counters[causeBase[array] + i] as number]),
      );
      return {
        busy,
        busyCycles: here.reduce((sum, name) => sum + (busy[name] ?? 0), 0),
        stalls: stalls as Record<StallCause, number>,
      };
    };
    return {
      schedule: this.schedule,
      cycles: state.end - Math.max(this.firstIssue, 0) + leapt.cycles,
      latencyCycles: Math.max(state.end, memory?.busyUntil() ?? 0) + leapt.cycles,
      tiles: walk.tiles,
      arrays: { "2d": timeOf("2d"), "1d": timeOf("1d") },
      epoch: steady.period,
      registers: state.peak,
      dramBytes: counters[bytesAt] as number,
      tilesStepped: walk.tiles - leapt.tiles,
    };
  }
}
