import { SpecError } from "../../errors.js";
import type { ArrivalSchedule, DramChannel, TileWork } from "../../spec/schedule/machine.js";
import type { Schedule } from "../../spec/schedule/schedule.js";
import { type Plan, planOf } from "./actions.js";
import type { TileArrays } from "./arrays.js";
import { Position } from "./feed.js";
import { LiveArrays, type SavedState, type Watcher } from "./live.js";
import { dramMemory, givenArrivals, type TileMemory } from "./memory.js";
import { checkOrder } from "./order.js";
import { type Loop, type Period, Repetition, Tallies } from "./repetition.js";
import type { ScheduleResult } from "./result.js";
import { seenAhead, UpcomingKinds } from "./upcoming.js";
import { TileWalk } from "./walk.js";

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

export interface Watch extends Watcher {
  readonly from: number;
  readonly until: number;
}

/** Tiles that are stepped through before a run that does not repeat is given up: a minute or two. */
const mostTilesStepped = 5e6;
/** States that are remembered at once. */
const mostStates = 1e5;
/** A state at the beginning of a tile, and what follows from it, by the kinds of the tiles to come. */
interface State {
  readonly id: number;
  readonly saved: SavedState;
  readonly after: Map<number | string, Step>;
}

/** What one tile of the first array does. */
interface Step {
  readonly to: State;
  readonly cycles: number;
  /** The last output, counted from the tile's beginning. */
  readonly end: number;
  readonly growth: Float64Array;
}

/**
 * Executes a schedule: each array issues its epoch's operations in order, one per cycle, each when its operands are there.
 * Everything is skewed alike over the columns, so that it is enough to follow the first. From one state the same kinds of
 * tiles lead to the same state: each such step is run once, and loops that come back to a state are leapt over.
 * @throws SpecError where the schedule deadlocks, uses a value before it is made, or needs more registers than there are
 */
export function simulateSchedule(
  schedule: Schedule,
  arrays: TileArrays,
  work: TileWork,
  options: SimulationOptions = {},
): ScheduleResult {
  return new Simulation(planOf(schedule, arrays), new TileWalk(work), options).run();
}

class Simulation {
  private readonly memory: TileMemory | null;
  private readonly live: LiveArrays;
  private readonly position: Position;
  private readonly mayLeap: boolean;
  private readonly tally: Tallies;
  private states = new Map<string, State>();
  private readonly upcoming = new UpcomingKinds();
  /** Moves of the walk so far, and those after which the live arrays are where the walk is. */
  private moves = 0;
  private liveAt = 0;
  /** What had been counted when the live arrays were set. */
  private base: { readonly cycle: number; readonly tiles: number; readonly counters: readonly number[] };
  private readonly runs = new Repetition();
  private readonly rows = new Repetition();
  private readonly blocks = new Repetition();
  private readonly heads = new Repetition();
  private stretch = "";
  private part = -1;
  private headOf = "";
  private period: Period | null = null;
  private stepped = 0;
  /** How many tiles after the one that begins were seen at the most: what is left out ends so many before a loop does. */
  private ahead = seenAhead;

  constructor(
    private readonly plan: Plan,
    private readonly walk: TileWalk,
    private readonly options: SimulationOptions,
  ) {
    const { dram, arrivals, leap = true, watch } = options;
    checkOrder(plan, walk);
    this.memory =
      dram !== undefined ? dramMemory(dram, plan, walk) : arrivals !== undefined ? givenArrivals(plan, arrivals) : null;
    this.position = new Position(walk);
    this.live = new LiveArrays(plan, walk, this.memory, this.position, watch ?? null);
    this.mayLeap = leap && arrivals === undefined;
    this.tally = new Tallies(this.live.counters.length + 1);
    this.base = this.counted();
  }

  /** The first epoch that is watched, less what is in flight then, and less what an array is ahead by: no leap goes past it. */
  private get leapsEnd(): number {
    const from = this.options.watch?.from ?? Number.POSITIVE_INFINITY;
    return from - Math.max(this.live.maxLag, this.ahead);
  }

  private counted() {
    const { cycle, tiles } = this.tally;
    return { cycle, tiles, counters: Array.from(this.live.counters, (_, i) => this.tally.counter(i)) };
  }

  run(): ScheduleResult {
    if (this.mayLeap) this.leap();
    const { live } = this;
    const until = this.options.watch?.until ?? Number.POSITIVE_INFINITY;
    while (!live.done && !this.isPast(until) && !(this.options.untilPeriod === true && this.period !== null)) {
      live.run(this.base, until);
      if (++this.stepped > mostTilesStepped) throw this.endless();
    }
    return this.result();
  }

  private isPast(until: number): boolean {
    return this.live.tracks.every(({ epoch, done }) => done || epoch + this.base.tiles >= until);
  }

  /** Goes through the walk step by step, as far as steps may be remembered; then the live arrays are there. */
  private leap(): void {
    const { live, position, tally } = this;
    if (position.atEnd) return;
    let state = this.intern(live.save());
    // What is loaded before the first tile is not the first tile's: one like it, later on, loads less.
    tally.begin(live.counters);
    live.restore(state.saved, position);
    this.base = this.counted();
    for (;;) {
      this.leapOver(state);
      if (position.atEnd || tally.tiles >= this.leapsEnd) break;
      if (this.options.untilPeriod === true && this.period !== null) return;
      const key = this.keyHere();
      const known = state.after.get(key);
      const step = known ?? this.step(state, key);
      if (known !== undefined) this.follow(step);
      state = step.to;
      position.next();
    }
    this.goLive(state);
  }

  /** What decides the next step besides the state: the kinds of the tiles to come, and with DRAM what is loaded next. */
  private keyHere(): number | string {
    const key = this.upcoming.keyAt(this.position);
    return this.memory === null ? key : `${key} ${this.memory.next()}`;
  }

  /** Runs one tile and remembers what it did. */
  private step(state: State, key: number | string): Step {
    const { live } = this;
    this.goLive(state);
    if (++this.stepped > mostTilesStepped) throw this.endless();
    const began = live.machine.cycle;
    const first = live.leader.epoch;
    const counters = live.counters.slice();
    live.machine.end = Number.NEGATIVE_INFINITY;
    live.run(this.base);
    const step: Step = {
      to: this.intern(live.save()),
      cycles: live.machine.cycle - began,
      end: live.machine.end - began,
      growth: live.counters.map((count, i) => count - (counters[i] as number)),
    };
    // An array that is ahead has seen the tiles up to its own.
    const ahead = Math.max(...live.tracks.map(({ epoch }) => epoch)) - first;
    this.ahead = Math.max(this.ahead, ahead);
    // What was seen further ahead than the key says may be other the next time.
    if (ahead <= seenAhead) state.after.set(key, step);
    this.count(step);
    this.liveAt = this.moves;
    return step;
  }

  /** Counts a step that was run before. */
  private follow(step: Step): void {
    this.count(step);
    const { loadsAt } = this.live;
    this.memory?.streams.forEach((stream, i) => void stream.advance(step.growth[loadsAt + i] as number));
  }

  private count({ cycles, end, growth }: Step): void {
    this.tally.count(cycles, growth, end);
    this.moves++;
  }

  /** Sets the live arrays to a state at the present position, unless they are there. */
  private goLive(state: State): void {
    if (this.liveAt === this.moves) return;
    this.live.restore(state.saved, this.position);
    this.base = this.counted();
    this.liveAt = this.moves;
  }

  private intern(saved: SavedState): State {
    const key = JSON.stringify(saved);
    const known = this.states.get(key);
    if (known !== undefined) return known;
    if (this.states.size >= mostStates) this.states = new Map();
    const state = { id: this.nextId++, saved, after: new Map() };
    this.states.set(key, state);
    return state;
  }
  private nextId = 0;

  /** Leaves out whole iterations of the loops at whose beginning the walk is, where this state was met before. */
  private leapOver(state: State): void {
    const { position, tally } = this;
    if (position.opensRow) {
      tally.gather(position.opensBlock ? (position.opensHead ? "heads" : "blocks") : "rows");
      if (position.opensBlock && this.amongBlocks(state)) return;
      if (this.amongRows(state)) return;
    }
    this.amongTiles(state);
  }

  /** Tiles of one kind that follow one another in a row. */
  private amongTiles(state: State): void {
    const { position } = this;
    const { offset, runNow } = position;
    if (offset === 0) this.runs.clear();
    const left = (runNow?.count ?? 0) - offset - this.ahead;
    if (left < 4) return;
    const period = this.runs.meet(state.id, offset, this.tally.of("tiles"));
    if (period === null) return;
    const times = this.timesWithLoads(period, left);
    if (times < 1) return;
    this.repeat("tiles", period, times);
    position.offset += times * period.iterations;
  }

  /** Key tiles of one block that the same queries see. */
  private amongRows(state: State): boolean {
    const { position } = this;
    const { row } = position;
    if (row === null) return false;
    const stretch = `${position.part} ${position.head} ${position.block} ${row.m1 + row.alike}`;
    if (stretch !== this.stretch) this.rows.clear();
    this.stretch = stretch;
    const period = this.rows.meet(state.id, row.m1, this.tally.of("rows"));
    if (period === null) return false;
    this.period = period;
    const times = this.timesWithLoads(period, row.alike - Math.ceil(this.ahead / row.tiles));
    if (times < 1) return false;
    this.repeat("rows", period, times);
    position.skipRows(times * period.iterations);
    return true;
  }

  /** Blocks of one head that are alike, and heads. */
  private amongBlocks(state: State): boolean {
    const { position, walk } = this;
    const part = walk.parts[position.part];
    if (part === undefined) return false;
    if (position.part !== this.part) {
      this.part = position.part;
      this.heads.clear();
    }
    const place = `${state.id} ${this.loads(position.head, position.block)}`;
    if (position.opensHead) {
      this.blocks.clear();
      if (this.amongHeads(place, part.heads)) return true;
    }
    const alike = walk.alikeBlocks(part.sequence, position.block);
    if (this.headOf !== `${position.head} ${position.block + alike}`) this.blocks.clear();
    this.headOf = `${position.head} ${position.block + alike}`;
    if (alike < 3) return false;
    const period = this.blocks.meet(place, position.block, this.tally.of("blocks"));
    if (period === null) return false;
    const past = Math.max(0, ...(this.memory?.streams.map(s => s.blocksPast(position.head, position.block)) ?? []));
    const times = this.times(period, alike - past - Math.ceil(this.ahead / tilesOfIteration(period)));
    if (times < 1) return false;
    this.repeat("blocks", period, times);
    for (const stream of this.memory?.streams ?? []) stream.skip(0, times * period.iterations);
    position.skipBlocks(times * period.iterations);
    return true;
  }

  private amongHeads(place: string, heads: number): boolean {
    const { position } = this;
    const period = this.heads.meet(place, position.head, this.tally.of("heads"));
    if (period === null) return false;
    const past = Math.max(0, ...(this.memory?.streams.map(s => s.headsPast(position.part, position.head)) ?? []));
    const room = heads - position.head - past;
    const times = this.times(period, room - Math.ceil(this.ahead / tilesOfIteration(period)));
    if (times < 1) return false;
    this.repeat("heads", period, times);
    for (const stream of this.memory?.streams ?? []) stream.skip(times * period.iterations, 0);
    position.skipHeads(times * period.iterations);
    return true;
  }

  private repeat(loop: Loop, period: Period, times: number): void {
    this.tally.repeat(loop, period, times);
    this.moves++;
  }

  private loads(head: number, block: number): string {
    return this.memory?.streams.map(stream => stream.relativeTo(head, block)).join(" ") ?? "";
  }

  /** How often a period may be left out, in a loop of `room` more iterations. */
  private times(period: Period, room: number): number {
    const watched = Math.floor((this.leapsEnd - this.tally.tiles) / period.tally.tiles);
    return Math.min(Math.floor(room / period.iterations), watched);
  }

  /** The same within a block, where loads go on meanwhile: as long as they are of one size. Passes over them. */
  private timesWithLoads(period: Period, room: number): number {
    const times = this.times(period, room);
    if (this.memory === null) return times;
    const { streams } = this.memory;
    const { bytesAt, loadsAt } = this.live;
    if (period.tally.counters[bytesAt + 1] !== 0) return 0;
    const made = streams.map((_, i) => period.tally.counters[loadsAt + i] as number);
    const alike = streams.map((stream, i) =>
      made[i] === 0 ? times : Math.floor((stream.alike() - 1) / (made[i] as number)),
    );
    const least = Math.min(times, ...alike);
    if (least >= 1) streams.forEach((stream, i) => void stream.advance(least * (made[i] as number)));
    return least;
  }

  private endless(): SpecError {
    return new SpecError({
      where: `schedule "${this.plan.schedule.name}"`,
      got: `a run of ${this.walk.tiles} tiles in which nothing repeats`,
      expected: `one that repeats, or at most ${mostTilesStepped} tiles`,
      fix: "simulate a shorter sequence",
    });
  }

  private result(): ScheduleResult {
    const { live, memory, plan, walk, base, period } = this;
    const { machine } = live;
    // Without a tile nothing was written.
    const end = Math.max(0, this.tally.end, base.cycle + machine.end);
    machine.end = end - base.cycle;
    if (live.done) live.countDrain();
    const counters = live.counters.map((count, i) => count + (base.counters[i] as number));
    return {
      schedule: plan.schedule,
      cycles: end - (Number.isFinite(live.firstIssue) ? live.firstIssue : 0),
      latencyCycles: Math.max(end, base.cycle + (memory?.busyUntil() ?? Number.NEGATIVE_INFINITY)),
      tiles: walk.tiles,
      arrays: live.arrayTimes(counters),
      causes: { dram: machine.dramCauses, arrays: [...machine.arrayCauses, "behind"] },
      epoch: period === null ? null : { cycles: period.tally.cycle, tiles: period.tally.tiles },
      registers: Object.fromEntries(plan.onArray.map(({ name }, i) => [name, machine.peak[i] as number])),
      aboveColumn: machine.aboveColumn,
      dramBytes: counters[live.bytesAt] as number,
      tilesStepped: this.stepped,
    };
  }
}

const tilesOfIteration = ({ tally, iterations }: Period): number => tally.tiles / iterations;
