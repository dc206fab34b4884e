import { SpecError } from "../../errors.js";
import type { ArrayName } from "../../spec/schedule/einsums.js";
import type { ScheduleMachine, ScheduleWork } from "../../spec/schedule/machine.js";
import { CycleQueue } from "./fifo.js";
import type { LoadedTensor, TileMemory } from "./memory.js";
import { einsumCode, idleSlot } from "./program.js";
import { type StallCause, stallCauses } from "./result.js";
import type { Track } from "./track.js";

const { BQK, LM, SLN, SLD, SLNV, RM, PRM, SPD, RD, SPNV, RNV, AV } = einsumCode;

export const causeCode = Object.fromEntries(stallCauses.map((cause, i) => [cause, i])) as Readonly<
  Record<StallCause, number>
>;
const { port: portCause, Q: qCause, BK: bkCause, BV: bvCause } = causeCode;
const { LM: lmCause, RM: rmCause, SLD: sldCause, SLNV: slnvCause } = causeCode;

/** Values that one array made for the other: the cycles from which they can be used, and how many wait in a register. */
class Crossing {
  readonly queue = new CycleQueue();
  waiting = 0;
  /** When the next value comes; Infinity where none is on its way. */
  private nextAt = Number.POSITIVE_INFINITY;

  push(cycle: number): void {
    this.queue.push(cycle);
    if (cycle < this.nextAt) this.nextAt = cycle;
  }

  take(): void {
    this.queue.pop();
    if (this.waiting > 0) this.waiting--;
    else this.lookAhead();
  }

  /** Counts what had come by the end of `cycle` and was not taken. */
  settle(cycle: number): number {
    while (this.nextAt <= cycle) {
      this.waiting++;
      this.lookAhead();
    }
    return this.waiting;
  }

  private lookAhead(): void {
    this.nextAt = this.waiting < this.queue.size ? this.queue.at(this.waiting) : Number.POSITIVE_INFINITY;
  }
}

/**
 * The machine's state at the first column, and the rules by which an operation may be issued. An operation issued on the 2D
 * array in cycle t reaches PE (r, c) in cycle t + r + c, and what it sends down reaches the 1D array in cycle t + rows + c.
 */
export class TileMachine {
  cycle = 0;
  /** Why the last refused operation was refused, and when to ask again. */
  stall = 0;
  readyAt = 0;
  /** The last cycle, plus one, in which AV was written. */
  end = 0;
  /** Most entries in use: of the 2D PEs' and the 1D PEs' register files, and RM values waiting above a column. */
  readonly peak = { pe: 1, lane: 0, aboveColumn: 0 };
  private freeReads = 0;
  private freeWrites = 0;
  /** Entries in use; the first of a 2D PE is the one that the north link writes (Fig. 3c). */
  private peEntries = 1;
  private laneEntries = 0;
  private readonly lm = new Crossing();
  private readonly sld = new Crossing();
  private readonly slnv = new Crossing();
  private readonly rm = new Crossing();
  private readonly unlimitedPorts: boolean;
  private readonly rows: number;
  private readonly rmLatency: number;
  private readonly rmRows: number;
  private readonly lastE: number;
  private readonly lastF: number;
  private readonly lastDivision: number;

  constructor(
    private readonly name: string,
    private readonly machine: ScheduleMachine,
    work: ScheduleWork,
    private readonly memory: TileMemory | null,
  ) {
    const { rmReturn, rows, divideCycles, readPorts, writePorts } = machine;
    this.unlimitedPorts = readPorts === Number.POSITIVE_INFINITY && writePorts === Number.POSITIVE_INFINITY;
    this.rows = rows;
    this.rmLatency = 1 + (rmReturn.by === "columns" ? rows : rmReturn.latencyCycles);
    this.rmRows = rmReturn.by === "buffer" ? 1 : 0;
    this.lastE = work.headDim - 1;
    this.lastF = work.valueDim - 1;
    this.lastDivision = work.valueDim * divideCycles - 1;
  }

  /** Opens the cycle: all ports are free, and what has come by now and was not used takes a register. */
  open(): void {
    if (!this.unlimitedPorts) {
      this.freeReads = this.machine.readPorts;
      this.freeWrites = this.machine.writePorts;
    }
    this.countRegisters();
  }

  /** Issues the track's next operation if its operands are there; else says why not and until when. */
  issue(track: Track): boolean {
    const op = track.program.code[track.pc] as number;
    const step = track.program.step[track.pc] as number;
    switch (op) {
      case BQK:
        return this.issueBqk(track, step);
      case SLNV:
        return this.issueSlnv(track, step);
      case SPNV:
        if (!this.ports(track, track.isFirst[SPNV] === 1 ? 0 : 1, 0)) return false;
        if (step !== this.lastF || track.freesPrm !== SPNV) this.laneEntries++;
        return true;
      case RNV:
        if (!this.come(this.slnv, slnvCause) || !this.ports(track, 0, 1)) return false;
        this.slnv.take();
        this.laneEntries--;
        return true;
      case SLN:
        if (step === 0) {
          if (!this.come(this.rm, rmCause) || !this.ports(track, this.rmRows, 0)) return false;
          this.rm.take();
        } else if (step === 2) this.peEntries++;
        else if (step === 6) this.peEntries--;
        return true;
      case LM:
        this.lm.push(this.cycle + this.rows);
        return true;
      case SLD:
        this.sld.push(this.cycle + this.rows);
        if (track.freesSln === SLD) this.peEntries--;
        return true;
      case RM:
        if (!this.come(this.lm, lmCause) || !this.ports(track, track.isFirst[RM] === 1 ? 0 : 1, 1)) return false;
        this.lm.take();
        this.rm.push(this.cycle + this.rmLatency);
        this.laneEntries += 2; // the old and the new maximum, both for PRM
        return true;
      case PRM:
        if (step === 0 || step === 6) this.laneEntries--;
        else if (step === 2) this.laneEntries++;
        return true;
      case SPD:
        if (!this.ports(track, track.isFirst[SPD] === 1 ? 0 : 1, 0)) return false;
        if (track.freesPrm !== SPD) this.laneEntries++;
        return true;
      case RD:
        if (!this.come(this.sld, sldCause) || !this.ports(track, 0, 1)) return false;
        this.sld.take();
        this.laneEntries--;
        return true;
      case AV:
        return this.issueAv(track, step);
      default:
        return op === idleSlot;
    }
  }

  private issueBqk(track: Track, step: number): boolean {
    const { memory } = this;
    const loadsQ = step === 0 && track.isFirst[BQK] === 1;
    const loadsBk = step === 0 && track.opensRow[BQK] === 1;
    if (memory !== null) {
      if (loadsQ && !this.loaded(memory, "Q", qCause)) return false;
      if (loadsBk && !this.loaded(memory, "BK", bkCause)) return false;
    }
    if (!this.ports(track, 2, 0)) return false;
    if (step === 0) this.peEntries++;
    if (memory !== null) {
      if (loadsQ) memory.queues.Q.pop();
      if (loadsBk) memory.queues.BK.pop();
      if (step === this.lastE && track.isLast[BQK] === 1) memory.release("Q", this.cycle + 1);
      if (step === this.lastE && track.closesRow[BQK] === 1) memory.release("BK", this.cycle + 1);
    }
    return true;
  }

  private issueSlnv(track: Track, step: number): boolean {
    const { memory } = this;
    const loads = step === 0 && track.opensRow[SLNV] === 1;
    if (loads && memory !== null && !this.loaded(memory, "BV", bvCause)) return false;
    if (!this.ports(track, 1, 0)) return false;
    this.slnv.push(this.cycle + this.rows);
    if (memory !== null) {
      if (loads) memory.queues.BV.pop();
      if (step === this.lastF && track.closesRow[SLNV] === 1) memory.release("BV", this.cycle + 1);
    }
    if (step === this.lastF && track.freesSln === SLNV) this.peEntries--;
    return true;
  }

  private issueAv(track: Track, step: number): boolean {
    const { divideCycles } = this.machine;
    const starts = step % divideCycles === 0;
    const ends = step % divideCycles === divideCycles - 1;
    const reads = starts ? (step === 0 ? 2 : 1) : 0; // RNV's row, and RD's once
    if (!this.ports(track, reads, ends ? 1 : 0)) return false;
    if (step === 0) this.laneEntries++;
    if (step === this.lastDivision) {
      this.laneEntries--;
      const columns = track.columnsOfAv;
      this.end = Math.max(this.end, this.cycle + columns);
      this.memory?.store(columns, this.cycle + columns);
    }
    return true;
  }

  private loaded(memory: TileMemory, tensor: LoadedTensor, cause: number): boolean {
    const at = memory.queues[tensor].first();
    return at <= this.cycle || this.refuse(cause, at);
  }

  private come(crossing: Crossing, cause: number): boolean {
    const at = crossing.queue.first();
    return at <= this.cycle || this.refuse(cause, at);
  }

  /** Reads what is still missing of the operation's rows; rows read in an earlier cycle wait at the array's edge. */
  private ports(track: Track, reads: number, writes: number): boolean {
    if (this.unlimitedPorts) return true;
    const got = Math.min(reads - track.rowsRead, this.freeReads);
    track.rowsRead += got;
    this.freeReads -= got;
    if (track.rowsRead < reads || writes > this.freeWrites) return this.refuse(portCause, this.cycle + 1);
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
  countRegisters(): void {
    const { peak, machine } = this;
    const before = this.cycle - 1;
    const above = this.rm.settle(before);
    if (above > peak.aboveColumn) peak.aboveColumn = above;
    const waiting = this.lm.settle(before) + this.sld.settle(before) + this.slnv.settle(before);
    if (this.laneEntries + waiting > peak.lane) {
      peak.lane = this.laneEntries + waiting;
      if (peak.lane > machine.laneRegisters) throw this.overflow("1d", peak.lane, machine.laneRegisters, waiting);
    }
    if (this.peEntries > peak.pe) {
      peak.pe = this.peEntries;
      if (peak.pe > machine.peRegisters) throw this.overflow("2d", peak.pe, machine.peRegisters, 0);
    }
  }

  private overflow(array: ArrayName, entries: number, depth: number, waiting: number): SpecError {
    const shorten =
      array === "2d" ? "shorten the lags of the letters" : "let the 1d program follow the 2d program sooner";
    return new SpecError({
      where: `schedule "${this.name}" ${array}, cycle ${this.cycle - 1}`,
      got: `${entries} values at once in a PE's register file${waiting > 0 ? `, ${waiting} of them just down from the 2D array` : ""}`,
      expected: `at most ${depth}, its depth`,
      mend: `${shorten}, or deepen the register file`,
    });
  }

  /** What decides the future, counted from this cycle. */
  describe(): string {
    const { cycle } = this;
    const crossings = [this.lm, this.sld, this.slnv, this.rm].map(({ queue }) => queue.relativeTo(cycle));
    return `${this.peEntries},${this.laneEntries}|${crossings.join("|")}`;
  }
}
