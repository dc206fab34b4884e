import { type Operation, operationText } from "../../spec/schedule/notation.js";
import { idlesOf, operationsOf } from "../../spec/schedule/schedule.js";
import type { Plan } from "./actions.js";
import type { TileEinsum } from "./dataflows.js";
import type { TileFeed } from "./feed.js";
import { type EpochProgram, layOut, type Presence } from "./program.js";
import { noMore, notYet, tileBits } from "./walk.js";

const nothing: EpochProgram = { actions: [], slot: [] };

interface Placed {
  readonly op: Operation;
  readonly einsum: number;
  readonly when: TileEinsum["when"];
}

interface Letter {
  readonly lag: number;
  /** What the array does with the letter's tile, and the operations of any array that its idle slots stand for. */
  readonly operations: readonly Placed[];
  readonly idles: readonly Placed[];
}

/** One array's way through its program, epoch by epoch. */
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
  /** By Einsum, the tile it works on, and that tile's kind. */
  readonly tileOf: Float64Array;
  readonly kindOf: Float64Array;
  readonly name: string;
  private readonly letters: readonly Letter[];
  private readonly programs = new Map<number, EpochProgram>();

  constructor(
    readonly index: number,
    private readonly plan: Plan,
    private readonly feed: TileFeed,
    private readonly maxLag: number,
  ) {
    this.name = plan.onArray[index]?.name ?? "";
    this.tileOf = new Float64Array(plan.einsums.length);
    this.kindOf = new Float64Array(plan.einsums.length);
    const stages = plan.schedule.programs[this.name] ?? [];
    const placed = (op: Operation): Placed => {
      const einsum = plan.einsums.findIndex(({ name }) => name === op.einsum);
      return { op, einsum, when: plan.einsums[einsum]?.when ?? "every" };
    };
    const [listed, idles] = [operationsOf(stages).map(({ op }) => placed(op)), idlesOf(stages).map(placed)];
    this.letters = Object.entries(plan.schedule.lags).map(([letter, lag]) => ({
      lag,
      operations: listed.filter(({ op }) => op.tile === letter),
      idles: idles.filter(({ op }) => op.tile === letter),
    }));
  }

  /** Whether it has something to do on each tile as it enters. */
  get leads(): boolean {
    return this.letters.some(({ lag, operations }) => lag === 0 && operations.some(({ when }) => when === "every"));
  }

  /** Starts the present epoch, or the first after it in which there is something to do. */
  begin(): void {
    for (; ; this.epoch++) {
      if (this.feed.kind(this.epoch - this.maxLag) === noMore) {
        this.done = true;
        return;
      }
      this.layOutEpoch();
      if (this.program.actions.length > 0) break;
    }
    this.pc = 0;
    this.fresh = true;
  }

  /** Takes up the present epoch again at `pc`. */
  resume(epoch: number, pc: number, rowsRead: number, done: boolean): void {
    this.epoch = epoch;
    this.rowsRead = rowsRead;
    this.done = done;
    if (!done) this.layOutEpoch();
    this.pc = pc;
  }

  next(): void {
    this.epoch++;
    this.begin();
  }

  /** The next operation, with its tile, for messages. */
  nextText(tilesBefore: number): string {
    const einsum = this.program.actions[this.pc]?.einsum;
    for (const { lag, operations } of this.letters) {
      const found = operations.find(placed => placed.einsum === einsum);
      if (found !== undefined) return `${operationText(found.op)} (tile ${this.epoch - lag + tilesBefore})`;
    }
    return "an idle slot";
  }

  private layOutEpoch(): void {
    // Of what is not there it is known by its Einsum whether its tile is absent or has none: a bit says all.
    let present = 0;
    this.fills = this.feed.kind(this.epoch - this.maxLag) === notYet;
    this.drains = this.feed.kind(this.epoch) === noMore;
    for (const { lag, operations, idles } of this.letters) {
      const tile = this.epoch - lag;
      const kind = this.feed.kind(tile);
      for (const { einsum, when } of operations) {
        present = 2 * present + Number(isThere(when, kind));
        this.tileOf[einsum] = tile;
        this.kindOf[einsum] = kind;
      }
      for (const { when } of idles) present = 2 * present + Number(isThere(when, kind));
    }
    this.program = this.programs.get(present) ?? this.layOutPresent();
    this.programs.set(present, this.program);
  }

  private layOutPresent(): EpochProgram {
    const { schedule, einsums, actions } = this.plan;
    const numberOf = (op: Operation): number => einsums.findIndex(({ name }) => name === op.einsum);
    return layOut(schedule.programs[this.name] ?? [], {
      einsumOf: op => einsums[numberOf(op)] as TileEinsum,
      actionsOf: op => actions[numberOf(op)] ?? [],
      presence: op =>
        presenceAt(einsums[numberOf(op)]?.when ?? "every", this.feed.kind(this.epoch - (schedule.lags[op.tile] ?? 0))),
    });
  }
}

/** Einsums of the first or the last key tile of their queries have nothing to do on others. */
function isThere(when: TileEinsum["when"], kind: number): boolean {
  const exists = kind !== notYet && kind !== noMore;
  return exists && (when === "every" || (kind & tileBits[when]) !== 0);
}

const presenceAt = (when: TileEinsum["when"], kind: number): Presence =>
  isThere(when, kind) ? "there" : when === "every" ? "absent" : "none";
