import { SpecError } from "../../errors.js";
import type { Plan } from "./actions.js";
import { type Position, TileFeed } from "./feed.js";
import type { TileMemory } from "./memory.js";
import { type ArrayTime, commonCauses } from "./result.js";
import { type SavedMachine, TileMachine } from "./tile-machine.js";
import { Track } from "./track.js";
import type { TilePlace, TileWalk } from "./walk.js";

const never = Number.POSITIVE_INFINITY;
const [fill, drain, idle, port, behind] = commonCauses.map((_, i) => i) as [number, number, number, number, number];
/** Epochs by which an array may be ahead of another; then it waits. */
const mostAhead = 64;

/** One operation issued at the first column, or a stretch of cycles in which an array issued nothing. */
export interface Watcher {
  readonly onIssue: (issue: LiveIssue) => void;
  readonly onStall: (stall: {
    readonly array: string;
    readonly cause: string;
    readonly epoch: number;
    readonly cycle: number;
    readonly cycles: number;
  }) => void;
}

export interface LiveIssue {
  readonly array: string;
  readonly einsum: string;
  readonly step: number;
  readonly tile: number;
  readonly place: TilePlace;
  readonly epoch: number;
  readonly cycle: number;
}

/** A state of everything that decides what follows, counted from a moment at which the first array begins a tile. */
export interface SavedState {
  readonly machine: SavedMachine;
  readonly tracks: readonly {
    readonly epoch: number;
    readonly pc: number;
    readonly rowsRead: number;
    readonly done: boolean;
  }[];
  /** The kinds of the tiles before, the newest first, as far back as any array still looks. */
  readonly history: readonly number[];
}

/** The arrays, run cycle by cycle. Tiles and cycles are counted from where it was set. */
export class LiveArrays {
  readonly machine: TileMachine;
  readonly tracks: readonly Track[];
  readonly feed: TileFeed;
  /** The array that begins each tile. */
  readonly leader: Track;
  /** A busy count per Einsum, a stall count per cause for each array, bytes, changes of loads, and loads per stream. */
  readonly counters: Float64Array;
  /** The cycle of the first operation; Infinity before it. */
  firstIssue = never;
  readonly maxLag: number;
  /** Where the bytes are among the counters, followed by the changes, and the loads. */
  readonly bytesAt: number;
  readonly loadsAt: number;
  private readonly causeBase: readonly number[];
  private readonly order: readonly Track[];

  constructor(
    private readonly plan: Plan,
    walk: TileWalk,
    private readonly memory: TileMemory | null,
    start: Position,
    private readonly watcher: (Watcher & { readonly from: number; readonly until: number }) | null,
  ) {
    this.machine = new TileMachine(plan, walk, memory);
    this.feed = new TileFeed(start, watcher !== null);
    this.maxLag = Math.max(...Object.values(plan.schedule.lags));
    this.tracks = plan.onArray.map((_, i) => new Track(i, plan, this.feed, this.maxLag));
    this.leader = this.tracks.find(track => track.leads) ?? noLeader(plan);
    // The array that comes last goes first to a port: its rows belong to older tiles.
    this.order = [...this.tracks].reverse();
    const causes = this.machine.causes.length;
    this.causeBase = plan.onArray.map((_, i) => plan.einsums.length + i * causes);
    this.bytesAt = plan.einsums.length + plan.onArray.length * causes;
    this.loadsAt = this.bytesAt + 2;
    this.counters = new Float64Array(this.loadsAt + plan.loads.length);
    this.feed.set(start, []);
    for (const track of this.tracks) track.begin();
    this.countMemory();
  }

  get done(): boolean {
    return this.tracks.every(track => track.done);
  }

  /**
   * Runs until the first array begins its next tile, or all are done, or every array has come to epoch `until`.
   * @param before the tiles and cycles before those that are counted here, for messages and watchers
   */
  run(before: { readonly cycle: number; readonly tiles: number }, until = never): void {
    const { machine, leader } = this;
    leader.fresh = false;
    while (!leader.fresh && !this.done) {
      const slowest = this.slowest();
      if (slowest + before.tiles >= until) break;
      this.feed.oldest = slowest - this.maxLag;
      machine.open(before.cycle);
      let next = never;
      for (const track of this.order) next = Math.min(next, this.advance(track, before));
      if (next === never) throw this.deadlock(before);
      for (const track of this.order) if (track.blocked) this.countStall(track, next - machine.cycle, before);
      machine.cycle = next;
    }
    this.countMemory();
    if (this.done) machine.countRegisters(before.cycle);
  }

  private countMemory(): void {
    if (this.memory === null) return;
    const { bytes, changes, loads } = this.memory.counts;
    this.counters.set([bytes, changes, ...loads], this.bytesAt);
  }

  private slowest(): number {
    let slowest = never;
    for (const { epoch, done } of this.tracks) if (!done && epoch < slowest) slowest = epoch;
    return slowest;
  }

  /** One cycle of an array. Returns the next cycle in which it may do something. */
  private advance(track: Track, before: { readonly cycle: number; readonly tiles: number }): number {
    const { machine } = this;
    track.blocked = false;
    if (track.done) return never;
    const action = track.program.actions[track.pc] ?? null;
    if (track.pc === 0 && track.epoch - this.slowest() > mostAhead) {
      track.blocked = true;
      track.cause = behind;
      return never;
    }
    if (action === null) {
      track.cause = idle;
      this.countStall(track, 1, before);
    } else if (!machine.issue(track, action)) {
      track.blocked = true;
      track.cause = machine.stall;
      return machine.readyAt;
    } else {
      if (this.firstIssue === never) this.firstIssue = machine.cycle;
      this.counters[action.einsum] = (this.counters[action.einsum] as number) + 1;
      if (this.watcher !== null) this.report(track, action.einsum, before);
    }
    if (++track.pc === track.program.actions.length) {
      track.next();
      track.finishedAt = machine.cycle + 1;
    }
    return machine.cycle + 1;
  }

  private watches(epoch: number): boolean {
    return this.watcher !== null && epoch >= this.watcher.from && epoch < this.watcher.until;
  }

  private report(track: Track, einsum: number, before: { readonly cycle: number; readonly tiles: number }): void {
    const epoch = track.epoch + before.tiles;
    const tile = track.tileOf[einsum] as number;
    const place = this.feed.place(tile);
    if (!this.watches(epoch) || place === null) return;
    this.watcher?.onIssue({
      array: track.name,
      einsum: this.plan.einsums[einsum]?.name ?? "",
      step: track.program.slot[track.pc] ?? 0,
      tile: tile + before.tiles,
      place,
      epoch,
      cycle: this.machine.cycle + before.cycle,
    });
  }

  /** Waits for memory and ports are what they are; any other is the pipeline's, while it fills or drains. */
  private countStall(track: Track, cycles: number, before: { readonly cycle: number; readonly tiles: number }): void {
    const { causes, dramCauses } = this.machine;
    const external = track.cause === port || dramCauses.includes(causes[track.cause] as string);
    const cause = external ? track.cause : track.fills ? fill : track.drains ? drain : track.cause;
    const at = (this.causeBase[track.index] as number) + cause;
    this.counters[at] = (this.counters[at] as number) + cycles;
    const epoch = track.epoch + before.tiles;
    if (!this.watches(epoch)) return;
    const name = causes[cause] as string;
    this.watcher?.onStall({ array: track.name, cause: name, epoch, cycle: this.machine.cycle + before.cycle, cycles });
  }

  /** Counts what an array waits for from its last operation to the end of the run. */
  countDrain(): void {
    for (const track of this.tracks) {
      const at = (this.causeBase[track.index] as number) + drain;
      this.counters[at] = (this.counters[at] as number) + Math.max(0, this.machine.end - track.finishedAt);
    }
  }

  /** What the counters say of each array. */
  arrayTimes(counters: Float64Array): Readonly<Record<string, ArrayTime>> {
    const times = this.plan.onArray.map(({ name, einsums }, i): [string, ArrayTime] => {
      const busy = Object.fromEntries(einsums.map(e => [this.plan.einsums[e]?.name ?? "", counters[e] as number]));
      const base = this.causeBase[i] as number;
      const stalls = this.machine.causes.map((cause, c) => [cause, counters[base + c] as number]);
      const busyCycles = Object.values(busy).reduce((a, b) => a + b, 0);
      return [name, { busy, busyCycles, stalls: Object.fromEntries(stalls) }];
    });
    return Object.fromEntries(times);
  }

  /** The state at this moment. */
  save(): SavedState {
    const { leader, feed } = this;
    const oldest = Math.min(leader.epoch, this.slowest()) - this.maxLag;
    return {
      machine: this.machine.save(),
      tracks: this.tracks.map(({ epoch, pc, rowsRead, done }) => ({ epoch: epoch - leader.epoch, pc, rowsRead, done })),
      history: Array.from({ length: leader.epoch - oldest }, (_, i) => feed.kind(leader.epoch - 1 - i)),
    };
  }

  /** Takes up a state; tile 0 is then the one at `position`, cycle 0 the moment of the state. */
  restore({ machine, tracks, history }: SavedState, position: Position): void {
    this.feed.set(position, history);
    this.machine.restore(machine);
    this.counters.fill(0);
    tracks.forEach(({ epoch, pc, rowsRead, done }, i) => void this.tracks[i]?.resume(epoch, pc, rowsRead, done));
  }

  private deadlock({ cycle, tiles }: { readonly cycle: number; readonly tiles: number }): SpecError {
    const says = (track: Track): string =>
      track.done
        ? `the ${track.name} array has finished`
        : `the ${track.name} array waits with ${track.nextText(tiles)} for ${this.machine.causes[track.cause]}`;
    return new SpecError({
      where: `schedule "${this.plan.schedule.name}"`,
      got: `a deadlock in cycle ${this.machine.cycle + cycle}: ${this.tracks.map(says).join(", ")}`,
      expected: "a schedule in which one of the arrays can go on",
      fix: "enlarge the lag of the letter that waits, or do earlier what makes the value it waits for",
    });
  }
}

function noLeader({ schedule }: Plan): never {
  const first = Object.entries(schedule.lags).filter(([, lag]) => lag === 0);
  throw new SpecError({
    where: `schedule "${schedule.name}"`,
    got: "no array that does something on each tile as it enters",
    expected: `one whose program has ${first.map(([letter]) => `an Einsum on [${letter}]`).join(" or ") || "a letter of lag 0"}`,
  });
}
