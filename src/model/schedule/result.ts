import type { Schedule } from "../../spec/schedule/schedule.js";

/**
 * Why an array issued nothing in a cycle: the pipeline of epochs fills or drains, the schedule leaves the slot empty, no
 * port of the global buffer was free, the other arrays are too far behind; or an operand was not there, by its name: a tile
 * from DRAM, or a tensor from another array.
 */
export type StallCause = string;
export const commonCauses = ["fill", "drain", "idle", "port", "behind"] as const;

export interface ArrayTime {
  /** Cycles in which each Einsum was issued, by name. */
  readonly busy: Readonly<Record<string, number>>;
  readonly busyCycles: number;
  readonly stalls: Readonly<Record<StallCause, number>>;
}

/** Times are in cycles, and seen from the first column: operations reach column c another c cycles later. */
export interface ScheduleResult {
  /** The schedule that ran, its lags found. */
  readonly schedule: Schedule;
  /** From the first operand on a link to the last output written into the global buffer, over all columns. */
  readonly cycles: number;
  /** From cycle 0, in which the first load may start, to the last output in the global buffer, and in DRAM if there is one. */
  readonly latencyCycles: number;
  readonly tiles: number;
  /** By name; the array that tiles enter first comes first. */
  readonly arrays: Readonly<Record<string, ArrayTime>>;
  /** The causes that are waits for DRAM, and for other arrays. */
  readonly causes: { readonly dram: readonly StallCause[]; readonly arrays: readonly StallCause[] };
  /** Cycles per tile in the middle of a query block, exactly; null where no repetition was found. */
  readonly epoch: { readonly cycles: number; readonly tiles: number } | null;
  /** Entries of a PE's register file in use at most, by array, and values waiting above a column. */
  readonly registers: Readonly<Record<string, number>>;
  readonly aboveColumn: number;
  readonly dramBytes: number;
  /** Tiles that were stepped through one by one; the others were covered by exact repetition. */
  readonly tilesStepped: number;
}

/** Cycles in which an array issued, as a part of the whole run. */
export const utilization = (result: ScheduleResult, array: string): number =>
  (result.arrays[array]?.busyCycles ?? 0) / result.cycles;
