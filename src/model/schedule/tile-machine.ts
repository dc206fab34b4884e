import { SpecError } from "../../errors.js";
import type { Action, Plan } from "./actions.js";
import { CycleQueue } from "./fifo.js";
import type { SavedMemory, TileMemory } from "./memory.js";
import { commonCauses } from "./result.js";
import type { Track } from "./track.js";
import { type TileWalk, tileBits } from "./walk.js";

/** On which tiles a load's next tile is taken, and on which it is done with. */
const loadBits = {
  queries: { takes: tileBits.first, leaves: tileBits.last },
  keys: { takes: tileBits.opens, leaves: tileBits.closes },
  tiles: { takes: tileBits.exists, leaves: tileBits.exists },
} as const;

/** Values that one array made for another: the cycles from which they can be used, and how many have come and wait. */
class ValueQueue {
  readonly queue = new CycleQueue();
  waiting = 0;
  /** When the next value comes; Infinity where none is on its way. */
  private nextAt = Number.POSITIVE_INFINITY;

  constructor(private readonly each: number) {}

  push(cycle: number): void {
    this.queue.push(cycle);
    if (cycle < this.nextAt) this.nextAt = cycle;
  }

  /** When the next `each` values, which are taken at once, have come. */
  readyAt(): number {
    return this.queue.size < this.each ? Number.POSITIVE_INFINITY : this.queue.at(this.each - 1);
  }

  take(): void {
    for (let i = 0; i < this.each; i++) {
      this.queue.pop();
      if (this.waiting > 0) this.waiting--;
      else this.lookAhead();
    }
  }

  /** Counts what had come by the end of `cycle` and was not taken: registers of a lane, which share what is taken at once. */
  settle(cycle: number): number {
    while (this.nextAt <= cycle) {
      this.waiting++;
      this.lookAhead();
    }
    return Math.ceil(this.waiting / this.each);
  }

  fill(entries: readonly number[]): void {
    this.queue.fill(entries);
    this.waiting = 0;
    this.lookAhead();
  }

  private lookAhead(): void {
    this.nextAt = this.waiting < this.queue.size ? this.queue.at(this.waiting) : Number.POSITIVE_INFINITY;
  }
}

/** The machine's state, counted from a cycle. */
export interface SavedMachine {
  readonly entries: readonly number[];
  readonly values: readonly (readonly number[])[];
  readonly memory: SavedMemory | null;
}

/**
 * The machine's state at the first column, and the rules by which an operation may be issued. An operation issued on an array
 * of rows and columns in cycle t reaches PE (r, c) in cycle t + r + c, and what it sends down leaves it in cycle t + rows + c.
 */
export class TileMachine {
  cycle = 0;
  /** Why the last refused operation was refused, and when to ask again. */
  stall = 0;
  readyAt = 0;
  /** The last cycle, plus one, in which an output was written. */
  end = Number.NEGATIVE_INFINITY;
  /** Most entries in use of each array's register files, and values waiting above a column. */
  readonly peak: number[];
  aboveColumn = 0;
  /** The causes of stalls by number. */
  readonly causes: readonly string[];
  readonly dramCauses: readonly string[];
  readonly arrayCauses: readonly string[];
  private freeReads = 0;
  private freeWrites = 0;
  /** Entries in use; the first of a PE of rows and columns is the one that the north link writes (FuseMax Fig. 3c). */
  private readonly entries: number[];
  private readonly values: readonly ValueQueue[];
  private readonly latency: readonly number[];
  /** Of the tile's kind: bits without which a crossing carries nothing. */
  private readonly needs: readonly number[];
  private readonly crossingCause: readonly number[];
  private readonly loadCause: readonly number[];
  private readonly loadNeeds: readonly number[];
  private readonly releaseNeeds: readonly number[];
  private readonly stores: readonly boolean[];
  private readonly unlimitedPorts: boolean;
  /** Crossings that wait in an array's registers, by array, and above columns. */
  private readonly inRegisters: readonly (readonly ValueQueue[])[];
  private readonly above: readonly ValueQueue[];
  private readonly depth: readonly number[];

  constructor(
    private readonly plan: Plan,
    private readonly walk: TileWalk,
    private readonly memory: TileMemory | null,
  ) {
    const { arrays, onArray, crossings, loads, einsums } = plan;
    this.unlimitedPorts =
      arrays.readPorts === Number.POSITIVE_INFINITY && arrays.writePorts === Number.POSITIVE_INFINITY;
    this.entries = onArray.map(({ name }) => (arrays.arrays[name]?.grid === true ? 1 : 0));
    this.peak = [...this.entries];
    this.depth = onArray.map(({ name }) => arrays.arrays[name]?.registers ?? Number.POSITIVE_INFINITY);
    this.values = crossings.map(({ each }) => new ValueQueue(each));
    this.latency = crossings.map(({ latency }) => latency);
    this.needs = crossings.map(({ when }) => (when === "every" ? 0 : tileBits[when]));
    this.dramCauses = [...new Set(loads.map(({ tensor }) => tensor))];
    this.arrayCauses = [...new Set(crossings.map(({ maker }) => maker))];
    this.causes = [...commonCauses, ...this.dramCauses, ...this.arrayCauses];
    this.crossingCause = crossings.map(({ maker }) => this.causes.lastIndexOf(maker));
    this.loadCause = loads.map(({ tensor }) => this.causes.indexOf(tensor));
    this.loadNeeds = loads.map(({ by }) => loadBits[by].takes);
    this.releaseNeeds = loads.map(({ by }) => loadBits[by].leaves);
    const storing = einsums.map(({ storedWords }) => storedWords > 0);
    this.stores = storing.includes(true) ? storing : einsums.map(() => true);
    const arrayOf = (einsum: string): string | undefined => einsums.find(({ name }) => name === einsum)?.array;
    const waiting = (wanted: (i: number) => boolean): readonly ValueQueue[] => this.values.filter((_, i) => wanted(i));
    this.inRegisters = onArray.map(({ name }) =>
      waiting(i => crossings[i]?.waits === "registers" && arrayOf(crossings[i]?.user ?? "") === name),
    );
    this.above = waiting(i => crossings[i]?.waits === "above");
  }

  /**
   * Opens the cycle: all ports are free, and what has come by now and was not used takes a register.
   * @param earlier the cycles before those that are counted here, for messages
   */
  open(earlier: number): void {
    if (!this.unlimitedPorts) {
      this.freeReads = this.plan.arrays.readPorts;
      this.freeWrites = this.plan.arrays.writePorts;
    }
    this.countRegisters(earlier);
  }

  /** Issues the track's next operation if its operands are there; else says why not and until when. */
  issue(track: Track, action: Action): boolean {
    const kind = track.kindOf[action.einsum] as number;
    const { cycle, memory } = this;
    if (memory !== null) {
      for (const load of action.loads) {
        if ((kind & (this.loadNeeds[load] as number)) === 0) continue;
        const at = memory.readyAt(load);
        if (at > cycle) return this.refuse(this.loadCause[load] as number, at);
      }
    }
    for (const i of action.awaits) {
      const needs = this.needs[i] as number;
      if ((kind & needs) !== needs) continue;
      const at = (this.values[i] as ValueQueue).readyAt();
      if (at > cycle) return this.refuse(this.crossingCause[i] as number, at);
    }
    const reads = action.reads + ((kind & tileBits.first) === 0 ? action.carriedReads : 0);
    if (!this.unlimitedPorts && !this.ports(track, reads, action.writes)) return false;
    this.take(track, action, kind);
    return true;
  }

  /** What the issue does. */
  private take(track: Track, action: Action, kind: number): void {
    const { cycle, memory } = this;
    for (const i of action.awaits) {
      const needs = this.needs[i] as number;
      if ((kind & needs) === needs) (this.values[i] as ValueQueue).take();
    }
    for (const i of action.sends) {
      const needs = this.needs[i] as number;
      if ((kind & needs) === needs) (this.values[i] as ValueQueue).push(cycle + (this.latency[i] as number));
    }
    this.entries[track.index] = (this.entries[track.index] as number) + action.entries;
    if (memory !== null) {
      for (const load of action.loads) if ((kind & (this.loadNeeds[load] as number)) !== 0) memory.take(load);
      for (const load of action.releases) {
        if ((kind & (this.releaseNeeds[load] as number)) !== 0) memory.release(load, cycle + 1);
      }
    }
    if (!action.ends || !this.stores[action.einsum]) return;
    const columns = this.walk.columnsOf(kind);
    this.end = Math.max(this.end, cycle + columns);
    const stored = this.plan.einsums[action.einsum];
    if (stored !== undefined) memory?.store(stored.output, stored.storedWords * columns, cycle + columns);
  }

  /** Reads what is still missing of the operation's rows; rows read in an earlier cycle wait at the array's edge. */
  private ports(track: Track, reads: number, writes: number): boolean {
    const got = Math.min(reads - track.rowsRead, this.freeReads);
    track.rowsRead += got;
    this.freeReads -= got;
    if (track.rowsRead < reads || writes > this.freeWrites) {
      return this.refuse(commonCauses.indexOf("port"), this.cycle + 1);
    }
    track.rowsRead = 0;
    this.freeWrites -= writes;
    return true;
  }

  private refuse(cause: number, until: number): false {
    this.stall = cause;
    this.readyAt = until;
    return false;
  }

  /** The registers in use at the end of the cycle before this one. */
  countRegisters(earlier: number): void {
    const before = this.cycle - 1;
    let above = 0;
    for (const queue of this.above) above += queue.settle(before);
    if (above > this.aboveColumn) this.aboveColumn = above;
    for (let a = 0; a < this.entries.length; a++) {
      let waiting = 0;
      for (const queue of this.inRegisters[a] as readonly ValueQueue[]) waiting += queue.settle(before);
      const used = (this.entries[a] as number) + waiting;
      if (used <= (this.peak[a] as number)) continue;
      this.peak[a] = used;
      if (used > (this.depth[a] as number)) throw this.overflow(a, used, waiting, earlier + before);
    }
  }

  private overflow(index: number, entries: number, waiting: number, cycle: number): SpecError {
    const array = this.plan.onArray[index]?.name ?? "";
    const shorten =
      waiting === 0 ? "shorten the lags of the letters" : `let the ${array} program follow the one above it sooner`;
    return new SpecError({
      where: `schedule "${this.plan.schedule.name}" ${array}, cycle ${cycle}`,
      got: `${entries} values at once in a PE's register file${waiting > 0 ? `, ${waiting} of them just come from another array` : ""}`,
      expected: `at most ${this.depth[index]}, its depth`,
      fix: `${shorten}, or deepen the register file`,
    });
  }

  save(): SavedMachine {
    return {
      entries: [...this.entries],
      values: this.values.map(({ queue }) => queue.relativeTo(this.cycle)),
      memory: this.memory?.save(this.cycle) ?? null,
    };
  }

  /** Takes up a state; cycle 0 is then the moment of it. */
  restore({ entries, values, memory }: SavedMachine): void {
    this.cycle = 0;
    this.end = Number.NEGATIVE_INFINITY;
    entries.forEach((count, a) => {
      this.entries[a] = count;
    });
    values.forEach((cycles, i) => void this.values[i]?.fill(cycles));
    if (memory !== null) this.memory?.restore(memory);
  }
}
