import type { RmReturn } from "../../spec/schedule/machine.js";
import type { TileEinsum } from "./dataflows.js";

/** The arrays that a schedule runs on, and what its Einsums do on them. */
export interface TileArrays {
  readonly einsums: readonly TileEinsum[];
  readonly arrays: Readonly<Record<string, TileArray>>;
  /** Rows of the global buffer that can be read and written in one cycle; Infinity, as the paper assumes. */
  readonly readPorts: number;
  readonly writePorts: number;
  readonly upward: RmReturn;
}

export interface TileArray {
  /** PEs down a column, through which what leaves it goes; 1 where the array is a row of lanes. */
  readonly rows: number;
  /** PEs are in rows and columns, not in one row; then a PE has a register that the north link writes. */
  readonly grid: boolean;
  /** Entries of a PE's register file. */
  readonly registers: number;
}

/** The way of a value from one array to another. */
export interface Crossing {
  readonly maker: string;
  readonly user: string;
  /** A value for each point; else one for the tile. */
  readonly perPoint: boolean;
  /** Values that one point of the user takes. */
  readonly each: number;
  /** The tiles on which it goes. */
  readonly when: "every" | "first" | "last";
  /** Cycles from the issue of the operation that ends it to its being there. */
  readonly latency: number;
  /** Where it waits for its user: in the registers of the array `user` runs on, above its columns, or in the buffer. */
  readonly waits: "registers" | "above" | "buffer";
  /** Rows of the buffer that its user reads for it, where it goes up through the buffer. */
  readonly rows: number;
}

/** All ways between arrays. */
export function crossingsOf({ einsums, arrays, upward }: TileArrays): readonly Crossing[] {
  const rowsOf = (array: string): number => arrays[array]?.rows ?? 1;
  const isGrid = (array: string): boolean => arrays[array]?.grid === true;
  return einsums.flatMap(user =>
    user.uses.flatMap(({ einsum, pointwise, each }): Crossing[] => {
      const maker = einsums.find(({ name }) => name === einsum);
      if (maker === undefined || maker.array === user.array) return [];
      const perPoint = pointwise && maker.valuePerPoint && maker.points === user.points * each;
      const goesUp = isGrid(user.array) && !isGrid(maker.array);
      // A row that the user reads from the buffer is among its reads.
      const throughBuffer = user.fromBuffer.includes(maker.name);
      const back = upward.by === "columns" ? rowsOf(user.array) : upward.latencyCycles;
      return [
        {
          maker: maker.name,
          user: user.name,
          perPoint,
          each: perPoint ? each : 1,
          when: user.when === "every" ? maker.when : user.when,
          latency: goesUp ? 1 + back : rowsOf(maker.array),
          waits: throughBuffer ? "buffer" : goesUp ? "above" : "registers",
          rows: goesUp && upward.by === "buffer" && !throughBuffer ? 1 : 0,
        },
      ];
    }),
  );
}
