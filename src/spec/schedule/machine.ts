/**
 * How RM gets from the 1D array back into the columns. `columns`: it climbs its column one link per cycle, passes the
 * top and comes down with the wave. `buffer`: it is written to the global buffer and read as a row, some cycles later.
 * The paper draws neither; docs/schedule.md gives the reasons for `columns`.
 */
export type RmReturn = { readonly by: "columns" } | { readonly by: "buffer"; readonly latencyCycles: number };

/** The machine that executes a schedule. */
export interface ScheduleMachine {
  /** PEs down a column: M0. */
  readonly rows: number;
  /** PEs along a row, and 1D PEs: P0. */
  readonly columns: number;
  /** Rows of the global buffer that can be read and written in one cycle; Infinity, as the paper assumes. */
  readonly readPorts: number;
  readonly writePorts: number;
  readonly rmReturn: RmReturn;
  /** Cycles of one division; the divider is not pipelined. Published: 1. */
  readonly divideCycles: number;
  /** Entries of a 2D PE's register file (Fig. 3c: 10) and of a 1D PE's. */
  readonly peRegisters: number;
  readonly laneRegisters: number;
}

/** DRAM as the schedule sees it: one channel, first come first served. */
export interface DramChannel {
  readonly bytesPerCycle: number;
  /** From the end of a transfer on the channel to the tile's being readable in the global buffer. */
  readonly latencyCycles: number;
  readonly bytesPerWord: number;
  /** How many tiles of each tensor the global buffer has room for. */
  readonly tilesHeld: { readonly q: number; readonly bk: number; readonly bv: number };
}

/** The loop nest that a schedule walks: `for head: for p2: for m1: for p1` (FuseMax mapping 1). */
export interface ScheduleWork {
  /** E: steps of BQK. */
  readonly headDim: number;
  /** F: steps of SLNV, SPNV, RNV and AV. */
  readonly valueDim: number;
  /** B * H. */
  readonly heads: number;
  /** P and M, in positions. */
  readonly queries: number;
  readonly keys: number;
  /** P1: the query tiles that stay in the global buffer while the key tiles pass. */
  readonly blockTiles: number;
}

/**
 * The cycles from which the tiles can be read in the global buffer, in the order of their first use: Q by (head, query
 * tile), BK and BV by (head, query block, key tile). Cycle 0 is the first in which an operand may enter the array.
 */
export interface ArrivalSchedule {
  readonly q: readonly number[];
  readonly bk: readonly number[];
  readonly bv: readonly number[];
}
