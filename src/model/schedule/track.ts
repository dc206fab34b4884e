import { type ArrayName, dataflows, type EinsumName, einsumNames } from "../../spec/schedule/einsums.js";
import type { ScheduleMachine, ScheduleWork } from "../../spec/schedule/machine.js";
import { type Operation, operationText } from "../../spec/schedule/notation.js";
import { idlesOf, operationsOf, type Schedule } from "../../spec/schedule/schedule.js";
import { type EpochProgram, einsumCode, layOut, type Presence, slotsOf } from "./program.js";
import type { TilePlace, TileWalk } from "./walk.js";

const nothing: EpochProgram = { code: new Uint8Array(0), step: new Uint32Array(0) };

/** One array's way through its program, epoch by epoch. Arrays of flags are indexed by Einsum code. */
export class Track {
  epoch = 0;
  pc = 0;
  program = nothing;
  /** Rows of the next operation that were read already. */
  rowsRead = 0;
  done = false;
  /** An epoch has just begun. */
  fresh = true;
  blocked = false;
  cause = 0;
  finishedAt = 0;
  /** Some letter's tile does not exist yet (the pipeline fills), or no longer (it drains). */
  fills = false;
  drains = false;
  /** Queries of the tile that AV works on. */
  columnsOfAv = 0;
  readonly tileOf = new Float64Array(einsumNames.length);
  /** The tile's m1 is the first, the last; its p1 is the first of its block (the key tile is new), the last. */
  readonly isFirst = new Uint8Array(einsumNames.length);
  readonly isLast = new Uint8Array(einsumNames.length);
  readonly opensRow = new Uint8Array(einsumNames.length);
  readonly closesRow = new Uint8Array(einsumNames.length);
  /** The last of the operations that read SLN, and PRM: after it the register is free. */
  readonly freesSln: number;
  readonly freesPrm: number;
  /** What the array does with each letter's tile, and the operations of either array that its idle slots stand for. */
  private readonly letters: readonly Letter[];
  private readonly maxLag: number;
  private readonly programs = new Map<number, EpochProgram>();

  constructor(
    readonly array: ArrayName,
    private readonly schedule: Schedule,
    private readonly machine: ScheduleMachine,
    private readonly work: ScheduleWork,
    private readonly walk: TileWalk,
  ) {
    const listed = operationsOf(schedule.programs[array]);
    const idles = idlesOf(schedule.programs[array]);
    this.letters = Object.entries(schedule.lags).map(([letter, lag]) => ({
      lag,
      operations: listed.filter(({ op }) => op.tile === letter).map(({ op }) => ({ op, code: einsumCode[op.einsum] })),
      idles: idles.filter(op => op.tile === letter),
    }));
    this.maxLag = Math.max(...Object.values(schedule.lags));
    const lastOf = (...names: readonly EinsumName[]): number => {
      const [last] = listed
        .filter(({ op }) => names.includes(op.einsum))
        .sort((a, b) => (schedule.lags[b.op.tile] ?? 0) - (schedule.lags[a.op.tile] ?? 0) || b.stage - a.stage);
      return last === undefined ? -1 : einsumCode[last.op.einsum];
    };
    this.freesSln = lastOf("SLD", "SLNV");
    this.freesPrm = lastOf("SPD", "SPNV");
  }

  has(array: ArrayName, einsum: EinsumName): boolean {
    return dataflows[einsum].array === array;
  }

  oldestTile(): number {
    return this.epoch - this.maxLag;
  }

  /** Starts the present epoch, or the first after it in which there is something to do. */
  begin(): void {
    for (; ; this.epoch++) {
      if (this.epoch >= this.maxLag && this.walk.place(this.epoch - this.maxLag) === null) {
        this.done = true;
        return;
      }
      this.layOutEpoch();
      if (this.program.code.length > 0) break;
    }
    this.pc = 0;
    this.fresh = true;
  }

  next(): void {
    this.epoch++;
    this.begin();
  }

  /** The next operation, with its tile, for messages. */
  nextText(): string {
    const code = this.program.code[this.pc];
    for (const { lag, operations } of this.letters) {
      const found = operations.find(o => o.code === code);
      if (found !== undefined) return `${operationText(found.op)} (tile ${this.epoch - lag})`;
    }
    return "an idle slot";
  }

  private layOutEpoch(): void {
    let mask = 0;
    this.fills = this.epoch < this.maxLag;
    this.drains = this.walk.place(this.epoch) === null;
    let bit = 1;
    for (const { lag, operations, idles } of this.letters) {
      const tile = this.epoch - lag;
      const place = this.walk.place(tile);
      for (const { op, code } of operations) {
        if (presenceAt(op, place, this.walk) === "there") mask |= bit;
        bit <<= 1;
        if (place !== null) this.describe(code, tile, place);
      }
      for (const op of idles) {
        if (presenceAt(op, place, this.walk) === "there") mask |= bit;
        bit <<= 1;
      }
    }
    const known = this.programs.get(mask);
    this.program = known ?? this.layOutPresent();
    if (known === undefined) this.programs.set(mask, this.program);
  }

  private describe(code: number, tile: number, { m1, p1, blockTiles, block }: TilePlace): void {
    this.tileOf[code] = tile;
    this.isFirst[code] = Number(m1 === 0);
    this.isLast[code] = Number(m1 === this.walk.keyTiles - 1);
    this.opensRow[code] = Number(p1 === 0);
    this.closesRow[code] = Number(p1 === blockTiles - 1);
    if (code === einsumCode.AV) this.columnsOfAv = this.walk.columnsOf(block * this.walk.blockTiles + p1);
  }

  private layOutPresent(): EpochProgram {
    const { schedule, work, machine } = this;
    return layOut(
      schedule.programs[this.array],
      einsum => slotsOf(einsum, work, machine),
      op => this.presence(op),
    );
  }

  private presence(op: Operation): Presence {
    return presenceAt(op, this.walk.place(this.epoch - (this.schedule.lags[op.tile] ?? 0)), this.walk);
  }
}

interface Letter {
  readonly lag: number;
  readonly operations: readonly { readonly op: Operation; readonly code: number }[];
  readonly idles: readonly Operation[];
}

/** AV is only for the last key tile of its queries. */
function presenceAt(op: Operation, place: TilePlace | null, walk: TileWalk): Presence {
  if (op.einsum === "AV") return place !== null && place.m1 === walk.keyTiles - 1 ? "there" : "none";
  return place === null ? "absent" : "there";
}
