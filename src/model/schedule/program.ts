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
    const longest = Math.max(...turns.map(turn => turn.points));
    const own = turns.reduce((sum, turn) => sum + slotsOfTurns(turn, longest), 0);
    if (actions.length + own > mostSlots) throw tooManySlots(actions.length + own);
    for (let turn = 0; turn < longest; turn++) {
      for (const stream of turns) {
        const { points, own, keeps } = stream;
        if (turn >= points && !keeps) continue;
        for (let k = turn === 0 ? 0 : endOf(stream, turn); k < endOf(stream, turn + 1); k++) {
          actions.push(own?.[k] ?? null);
          slot.push(k);
        }
      }
    }
  }
  return { actions, slot };
}

interface Turns {
  /** Turns that it needs: 0 where it has nothing to do. */
  readonly points: number;
  /** Slots of a turn, and those that the first has besides. */
  readonly each: number;
  readonly lead: number;
  /** What is issued; undefined where the turns are empty. */
  readonly own: readonly Action[] | undefined;
  /** Whether the stream alone makes its stage worth doing. */
  readonly counts: boolean;
  /** Whether it keeps its turns when it is done. */
  readonly keeps: boolean;
}

/** Slots of its first turns together. */
const endOf = ({ each, lead }: Turns, turns: number): number => lead + turns * each;

const slotsOfTurns = (stream: Turns, longest: number): number =>
  stream.points === 0 && !stream.keeps ? 0 : endOf(stream, stream.keeps ? longest : stream.points);

function turnsOf(stream: Stream, { einsumOf, actionsOf, presence }: Layout): Turns {
  if (isIdle(stream) && typeof stream.idle === "number") {
    return { points: stream.idle, each: 1, lead: 0, own: undefined, counts: true, keeps: false };
  }
  const op = isIdle(stream) ? (stream.idle as Operation) : stream;
  const einsum = einsumOf(op);
  const state = presence(op);
  const there = state === "there";
  const points = slotsOf(einsum) === 0 ? 0 : einsum.points;
  const own = { each: einsum.pointCycles, lead: einsum.leadCycles };
  if (isIdle(stream)) {
    return { points: there ? points : 0, ...own, own: undefined, counts: there, keeps: false };
  }
  return {
    points: state === "none" ? 0 : points,
    ...own,
    own: there ? actionsOf(op) : undefined,
    counts: there && points > 0,
    keeps: stream.keepsTurns === true,
  };
}
