import type { SequenceClass } from "../../attention/sequences.js";
import type { Window } from "../../attention/window.js";

/**
 * How values get from the 1D array back into the columns. `columns`: they climb their column one link per cycle, pass the
 * top and come down with the wave. `buffer`: they are written to the global buffer and read as a row, some cycles later.
 * The paper draws neither; docs/schedule.md gives the reasons for `columns`.
 */
export type RmReturn = { readonly by: "columns" } | { readonly by: "buffer"; readonly latencyCycles: number };

/** FuseMax's arrays, as the register-level array is built. */
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
  readonly registers2d: number;
  readonly registers1d: number;
}

/** DRAM as the schedule sees it: one channel, first come first served. */
export interface DramChannel {
  readonly bytesPerCycle: number;
  /** From the end of a transfer on the channel to the tile's being readable in the global buffer. */
  readonly latencyCycles: number;
  /** Bytes of an element, by the tensor's name. */
  readonly elementBytes: Readonly<Record<string, number>>;
  /** How many tiles of each tensor the global buffer has room for, by the tensor's name. */
  readonly tilesHeld: Readonly<Record<string, number>>;
}

export interface WorkSequence extends Pick<SequenceClass, "leftPad" | "bits"> {
  readonly count: number;
  readonly rows: number;
  readonly keys: number;
}

/**
 * The loop nest that a schedule walks, `for sequence: for head: for query block: for key tile: for query tile`, less the
 * tiles in which a mask leaves no score.
 */
export interface TileWork {
  /** The sequences of the batch, by classes of the same length and mask: rows on the columns, and keys. */
  readonly sequences: readonly WorkSequence[];
  /** Rows of one query: query heads that are side by side. */
  readonly group: number;
  readonly window: Window;
  /** Heads that are walked one after the other. */
  readonly heads: number;
  /** Heads whose query tiles share the key tiles of one block, block by block: all of G in steps of G1. */
  readonly headTiles: readonly number[];
  /** P1: query tiles of each of these heads in a block. */
  readonly blockTiles: number;
  /** Rows (queries) and keys of a tile. */
  readonly tileRows: number;
  readonly tileKeys: number;
}

/**
 * The cycles from which the tiles can be read in the global buffer, by tensor, in the order of their first use. Cycle 0 is
 * the first in which an operand may enter the array.
 */
export type ArrivalSchedule = Readonly<Record<string, readonly number[]>>;
