import type { ArrayName, EinsumName } from "../../spec/schedule/einsums.js";
import type { Schedule } from "../../spec/schedule/schedule.js";
import type { LoadedTensor } from "./memory.js";

/**
 * Why an array issued nothing in a cycle: the pipeline of epochs fills or drains, the schedule leaves the slot empty, no
 * port of the global buffer was free, or an operand was not there (a tile from DRAM, or a tensor from the other array).
 */
export const stallCauses = ["fill", "drain", "idle", "port", "Q", "BK", "BV", "LM", "RM", "SLD", "SLNV"] as const;
export type StallCause = (typeof stallCauses)[number];
export const dramCauses: readonly StallCause[] = ["Q", "BK", "BV"] satisfies readonly LoadedTensor[];
export const dependencyCauses: readonly StallCause[] = ["LM", "RM", "SLD", "SLNV"];

export interface ArrayTime {
  /** Cycles in which each Einsum was issued, by name. */
  readonly busy: Readonly<Partial<Record<EinsumName, number>>>;
  readonly busyCycles: number;
  readonly stalls: Readonly<Record<StallCause, number>>;
}

/** Times are in cycles, and seen from the first column: operations reach column c another c cycles later. */
export interface ScheduleResult {
  /** The schedule that ran, its lags found. */
  readonly schedule: Schedule;
  /** From the first operand on a link to the last AV written into the global buffer, over all columns. */
  readonly cycles: number;
  /** From cycle 0, in which the first load may start, to the last AV in the global buffer, and in DRAM if there is one. */
  readonly latencyCycles: number;
  readonly tiles: number;
  readonly arrays: Readonly<Record<ArrayName, ArrayTime>>;
  /** Cycles per tile in the middle of a query block, exactly; null where no repetition was found. */
  readonly epoch: { readonly cycles: number; readonly tiles: number } | null;
  /** Entries in use at most: of a 2D PE's register file, of a 1D PE's, and RM values waiting above a column. */
  readonly registers: { readonly pe: number; readonly lane: number; readonly aboveColumn: number };
  readonly dramBytes: number;
  /** Tiles that were stepped through one by one; the others were covered by exact repetition. */
  readonly tilesStepped: number;
}

/** Cycles in which an array issued, as a part of the whole run. */
export const utilization = (result: ScheduleResult, array: ArrayName): number =>
  result.arrays[array].busyCycles / result.cycles;
