import { slotsOf } from "../../spec/schedule/dataflow.js";
import { isIdle, type Operation, type Stage, type Stream } from "../../spec/schedule/notation.js";
import type { Action } from "./actions.js";
import type { TileEinsum } from "./dataflows.js";
import { mostSlots, tooManySlots } from "./slots.js";

/** One array's operations of one epoch, one per issue slot; null where the slot is left empty. */
export interface EpochProgram {
  readonly actions: readonly (Action | null)[];
  /** The slot of the Einsum that each is. */
  readonly slot: readonly number[];
}

/** Whether an operation has something to do in an epoch: its tile is there; it is not (yet, or any more); or the tile has none. */
export type Presence = "there" | "absent" | "none";

/** What an epoch is laid out from. */
export interface Layout {
  readonly einsumOf: (op: Operation) => TileEinsum;
  readonly actionsOf: (op: Operation) => readonly Action[];
  readonly presence: (op: Operation) => Presence;
}

/**
 * Lays an epoch out in slots. The streams of a stage take turns of one point, whose operations hold the PE, and those that are
 * done are passed over; one whose tile is absent keeps its turns empty, so that the others keep their pace. A stage without
 * any tile is passed over.
 */
export function layOut(stages: readonly Stage[], layout: Layout): EpochProgram {
  const actions: (Action | null)[] = [];
  const slot: number[] = [];
  for (const { streams } of stages) {
    const turns = streams.map(stream => turnsOf(stream, layout));
    if (!turns.some(turn => turn.counts)) continue;
    const longest = Math.max(...turns.map(turn => turn.slots / turn.each));
    const own = turns.reduce((sum, { slots, each, keeps }) => sum + (keeps ? longest * each : slots), 0);
    if (actions.length + own > mostSlots) throw tooManySlots(actions.length + own);
    for (let turn = 0; turn < longest; turn++) {
      for (const { slots, each, own, keeps } of turns) {
        const done = turn * each >= slots;
        if (done && !keeps) continue;
        for (let k = turn * each; k < (turn + 1) * each; k++) {
          actions.push(done ? null : (own?.[k] ?? null));
          slot.push(k);
        }
      }
    }
  }
  return { actions, slot };
}

interface Turns {
  readonly slots: number;
  /** Slots of a turn. */
  readonly each: number;
  /** What is issued; undefined where the turns are empty. */
  readonly own: readonly Action[] | undefined;
  /** Whether the stream alone makes its stage worth doing. */
  readonly counts: boolean;
  /** Whether it keeps its turns when it is done. */
  readonly keeps: boolean;
}

function turnsOf(stream: Stream, { einsumOf, actionsOf, presence }: Layout): Turns {
  if (isIdle(stream) && typeof stream.idle === "number") {
    return { slots: stream.idle, each: 1, own: undefined, counts: true, keeps: false };
  }
  const op = isIdle(stream) ? (stream.idle as Operation) : stream;
  const einsum = einsumOf(op);
  const state = presence(op);
  const there = state === "there";
  const slots = slotsOf(einsum);
  if (isIdle(stream)) {
    return { slots: there ? slots : 0, each: einsum.pointCycles, own: undefined, counts: there, keeps: false };
  }
  return {
    slots: state === "none" ? 0 : slots,
    each: einsum.pointCycles,
    own: there ? actionsOf(op) : undefined,
    counts: there,
    keeps: stream.keepsTurns === true,
  };
}
