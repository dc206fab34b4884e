import { SpecError } from "../../errors.js";
import { dataflows, type EinsumName, einsumNames } from "../../spec/schedule/einsums.js";
import type { ScheduleMachine, ScheduleWork } from "../../spec/schedule/machine.js";
import { isIdle, type Operation, type Stage, type Stream } from "../../spec/schedule/notation.js";

/** The Einsums by number, so that a slot is a small integer; `idleSlot` is a slot left empty. */
export const einsumCode = Object.fromEntries(einsumNames.map((name, i) => [name, i])) as Readonly<
  Record<EinsumName, number>
>;
export const idleSlot = einsumNames.length;

/** Issue slots of an epoch: hundreds of times those of any published one. */
const mostSlots = 2 ** 20;

/** One array's operations of one epoch, one per issue slot. */
export interface EpochProgram {
  readonly code: Uint8Array;
  /** The step of the Einsum: e, f, or the step of an exponential. */
  readonly step: Uint32Array;
}

/** Issue slots of an Einsum on one tile. */
export function slotsOf(einsum: EinsumName, work: ScheduleWork, machine: ScheduleMachine): number {
  const { steps } = dataflows[einsum];
  if (steps === "E") return work.headDim;
  if (steps === "F") return work.valueDim;
  if (steps === "F-divisions") return work.valueDim * machine.divideCycles;
  return steps;
}

/** Whether an operation has something to do in an epoch: its tile is there; it is not (yet, or any more); or the tile has none. */
export type Presence = "there" | "absent" | "none";

/**
 * Lays an epoch out in slots. The streams of a stage take turns and those that are done are passed over; one whose tile is
 * absent keeps its turns empty, so that the others keep their pace. A stage without any tile is passed over.
 */
export function layOut(
  stages: readonly Stage[],
  slots: (einsum: EinsumName) => number,
  presence: (op: Operation) => Presence,
): EpochProgram {
  const code: number[] = [];
  const step: number[] = [];
  for (const { streams } of stages) {
    const turns = streams.map(stream => turnsOf(stream, slots, presence));
    if (!turns.some(turn => turn.counts)) continue;
    const longest = Math.max(...turns.map(turn => turn.slots));
    if (!(code.length + longest * turns.length <= mostSlots)) {
      throw new SpecError({
        where: "schedule",
        got: `an epoch of ${code.length + longest} slots or more`,
        expected: `at most ${mostSlots}`,
        mend: "narrower queries, keys and values, or quicker divisions",
      });
    }
    for (let turn = 0; turn < longest; turn++) {
      for (const { slots, code: own, keeps } of turns) {
        if (turn >= slots && !keeps) continue;
        code.push(turn < slots ? own : idleSlot);
        step.push(turn);
      }
    }
  }
  return { code: Uint8Array.from(code), step: Uint32Array.from(step) };
}

interface Turns {
  readonly slots: number;
  readonly code: number;
  /** Whether the stream alone makes its stage worth doing. */
  readonly counts: boolean;
  /** Whether it keeps its turns when it is done. */
  readonly keeps: boolean;
}

function turnsOf(stream: Stream, slots: (einsum: EinsumName) => number, presence: (op: Operation) => Presence): Turns {
  if (!isIdle(stream)) {
    const state = presence(stream);
    const length = state === "none" ? 0 : slots(stream.einsum);
    const there = state === "there";
    const keeps = stream.keepsTurns === true;
    return { slots: length, code: there ? einsumCode[stream.einsum] : idleSlot, counts: there, keeps };
  }
  if (typeof stream.idle === "number") return { slots: stream.idle, code: idleSlot, counts: true, keeps: false };
  const there = presence(stream.idle) === "there";
  return { slots: there ? slots(stream.idle.einsum) : 0, code: idleSlot, counts: there, keeps: false };
}
