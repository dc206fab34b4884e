import type { Variable } from "./variable.js";

/** Where everything is, in bytes. Lane groups lie apart; what lives for a tile is at one place for all of them. */
export interface WasmLayout {
  /** Of a lane group's variables from its beginning, and of a tile's variables from that of the memory. */
  readonly placeOf: (variable: Variable) => number;
  /** Fields of a lane group's state (assembly/memory.ts). */
  readonly state: {
    readonly seenFrom: number;
    readonly seenTo: number;
    readonly keyStarts: number;
    readonly keyEnds: number;
    readonly bad: number;
    readonly viewBegin: number;
    readonly viewEnd: number;
    readonly viewPartial: number;
  };
  /** Packed K and V of the tile. */
  readonly keyPanels: number;
  readonly valuePanels: number;
  readonly e: number;
  readonly f: number;
  /** What the chains of products work on is multiplied by, a power of two. */
  readonly chainScale: number;
  /** Whether the machine's multiply-add rounds once. */
  readonly fused: boolean;
  /** Scales of blocks, where products have them. */
  readonly scales: {
    /** Those of the queries of a lane group, [blocks of E][8], from its beginning. */
    readonly queries: number;
    /** Those of the packed keys, [panels][blocks of E][4], and values, [blocks of keys][panels][4]. */
    readonly keys: number;
    readonly values: number;
  };
  /** Where the host says which rows see a key of the tile, all ones or none; null where their intervals do. */
  readonly seenLanes: number | null;
}

/** Bytes of a value in eight rows, of a vector, and of an element of a panel of four rows. */
export const laneBytes = 32;
export const vectorBytes = 16;
export const panelBytes = 16;
