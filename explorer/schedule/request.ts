import type { ScheduleResult } from "../../src/model/schedule/result.js";
import type { Timeline } from "../../src/model/schedule/timeline.js";
import type { PeFrames } from "../../src/report/pe-frames.js";
import { type OwnDesign, ownName } from "../design/own.js";
import type { State } from "../state.js";

/** The small attention whose PEs are stepped through: as many queries and keys, and this wide. */
export const steppedSeq = 16;
export const steppedWidth = 4;
/** Cycles that can be stepped through. */
export const mostSteps = 400;

/** A design, with the visitor's files where it is theirs. */
export interface SimulatedDesign {
  readonly design: string;
  readonly own: OwnDesign | null;
}

export const simulatedDesign = ({ design, own }: State): SimulatedDesign => ({
  design,
  own: design === ownName ? own : null,
});

export type Machine = SimulatedDesign &
  Pick<State, "scheduleModel" | "scheduleSeq" | "memory" | "ports" | "epoch" | "epochs">;

export type ScheduleRequest =
  | { readonly what: "timeline"; readonly machine: Machine }
  | { readonly what: "steps"; readonly of: SimulatedDesign; readonly array: number };

/** A small array cycle by cycle, and its schedule over the same cycles. */
export interface Stepped extends PeFrames {
  readonly timeline: Timeline;
}

export interface Simulated {
  /** What was simulated: the page's settings may be others by now. */
  readonly machine: Machine;
  readonly result: ScheduleResult;
  readonly timeline: Timeline;
  /** Entries of a register file, by array. */
  readonly registers: readonly number[];
  /** What the published evaluation has for the same. */
  readonly published: { readonly cycles: number; readonly utilization: Readonly<Record<string, number>> };
}

export type ScheduleAnswer =
  | { readonly type: "timeline"; readonly simulated: Simulated }
  | { readonly type: "steps"; readonly steps: Stepped }
  | { readonly type: "failed"; readonly message: string };
