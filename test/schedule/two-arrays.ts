import type { TileArrays } from "../../src/model/schedule/arrays.js";
import type { TileEinsum } from "../../src/model/schedule/dataflows.js";
import type { DramChannel, TileWork } from "../../src/spec/schedule/machine.js";
import type { Schedule } from "../../src/spec/schedule/schedule.js";

// A on a grid of PEs and B on lanes, as little else as can be: cycles can be counted by hand.

const unlimited = Number.POSITIVE_INFINITY;

export const einsumOf = (name: string, array: string, other: Partial<TileEinsum> = {}): TileEinsum => ({
  ...{ name, array, points: 1, pointCycles: 1, leadCycles: 0, units: [], when: "every", uses: [], carries: [] },
  ...{ output: `out${name}`, valuePerPoint: false, reads: [], writesRows: 0, loads: [], storedWords: 0 },
  ...{
    runningWords: 0,
    carriedEntries: 0,
    fromRegisters: [],
    fromBuffer: [],
    staysInRegisters: false,
    scratchFrom: -1,
  },
  ...other,
});

/** A of 5 points, and B. */
export const arraysOf = (a: Partial<TileEinsum>, b: Partial<TileEinsum>): TileArrays => ({
  einsums: [einsumOf("A", "pe", { points: 5, ...a }), einsumOf("B", "lanes", b)],
  arrays: {
    pe: { rows: 2, grid: true, registers: unlimited },
    lanes: { rows: 1, grid: false, registers: unlimited },
  },
  ...{ readPorts: unlimited, writePorts: unlimited, upward: { by: "columns" } },
});

/** A of the tile that enters, B of the one so many epochs before. */
export const scheduleOf = (lag: number): Schedule => ({
  name: "two arrays",
  lags: { a: 0, b: lag },
  programs: { pe: [{ streams: [{ einsum: "A", tile: "a" }] }], lanes: [{ streams: [{ einsum: "B", tile: "b" }] }] },
});

export const fromA = { uses: [{ einsum: "A", pointwise: false, each: 1 }] };

/** One query and one key a tile. */
export const workOf = (rows: number, keys: number, other: Partial<TileWork> = {}): TileWork => ({
  ...{ sequences: [{ count: 1, rows, keys }], group: 1, window: { left: -1, right: -1 }, heads: 1, headTiles: [1] },
  ...{ blockTiles: 1, tileRows: 1, tileKeys: 1 },
  ...other,
});

/** A channel of 2 bytes a cycle for tensors of 2 bytes. */
export const dramOf = (held: Readonly<Record<string, number>>, other: Partial<DramChannel> = {}): DramChannel => ({
  ...{ bytesPerCycle: 2, latencyCycles: 7, elementBytes: { Q: 2, K: 2, S: 2, outB: 2 }, tilesHeld: held },
  ...other,
});
