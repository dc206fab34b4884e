/**
 * The Einsums of the one-pass cascade as a PE array executes them: how many operations each PE spends on one tile, which
 * units it needs, and which rows of the global buffer feed it. Two machines read this table and neither knows the
 * other: the tile-level simulation (model/schedule) and the register-level array (fusemax-array).
 */
export const einsumNames = ["BQK", "LM", "SLN", "SLD", "SLNV", "RM", "PRM", "SPD", "RD", "SPNV", "RNV", "AV"] as const;
export type EinsumName = (typeof einsumNames)[number];

/** The 2D array (a tile of keys by queries) and the 1D array below it (a tile of queries). */
export const arrayNames = ["2d", "1d"] as const;
export type ArrayName = (typeof arrayNames)[number];

/** What a PE can do in one cycle; an exponential is a subtraction (add) and six multiply-accumulates. */
export type Unit = "mac" | "add" | "max" | "divide";

/** The operations that one PE spends on one tile: E or F of them, a fixed number, or F divisions. */
export type StepCount = "E" | "F" | "F-divisions" | number;

export interface Dataflow {
  /** The array that has the dataflow: the one whose PEs hold the Einsum's iteration space. */
  readonly array: ArrayName;
  readonly steps: StepCount;
  readonly units: readonly Unit[];
  /** Tensors of the same tile that must exist first. */
  readonly uses: readonly EinsumName[];
  /** Tensors of the same queries' previous key tile that must exist first. */
  readonly carries: readonly EinsumName[];
  /** True where step f needs only step f of what it uses, so that producer and consumer may alternate. */
  readonly elementwise: boolean;
}

/** Subtraction, then six multiply-accumulates (FuseMax section V; docs/numerics.md, "E2"). */
export const exponentialSteps = 7;

/** FuseMax Cascade 5 (Eq. 44-55), bound as in Fig. 4. */
export const dataflows: Readonly<Record<EinsumName, Dataflow>> = {
  BQK: { array: "2d", steps: "E", units: ["mac"], uses: [], carries: [], elementwise: false },
  LM: { array: "2d", steps: 1, units: ["max"], uses: ["BQK"], carries: [], elementwise: false },
  SLN: {
    array: "2d",
    steps: exponentialSteps,
    units: ["add", "mac"],
    uses: ["BQK", "RM"],
    carries: [],
    elementwise: false,
  },
  SLD: { array: "2d", steps: 1, units: ["add"], uses: ["SLN"], carries: [], elementwise: false },
  SLNV: { array: "2d", steps: "F", units: ["mac"], uses: ["SLN"], carries: [], elementwise: false },
  RM: { array: "1d", steps: 1, units: ["max"], uses: ["LM"], carries: ["RM"], elementwise: false },
  PRM: {
    array: "1d",
    steps: exponentialSteps,
    units: ["add", "mac"],
    uses: ["RM"],
    carries: ["RM"],
    elementwise: false,
  },
  SPD: { array: "1d", steps: 1, units: ["mac"], uses: ["PRM"], carries: ["RD"], elementwise: false },
  RD: { array: "1d", steps: 1, units: ["add"], uses: ["SLD", "SPD"], carries: [], elementwise: false },
  SPNV: { array: "1d", steps: "F", units: ["mac"], uses: ["PRM"], carries: ["RNV"], elementwise: false },
  RNV: { array: "1d", steps: "F", units: ["add"], uses: ["SLNV", "SPNV"], carries: [], elementwise: true },
  AV: { array: "1d", steps: "F-divisions", units: ["divide"], uses: ["RNV", "RD"], carries: [], elementwise: true },
};

export const isEinsumName = (name: string): name is EinsumName => Object.hasOwn(dataflows, name);
