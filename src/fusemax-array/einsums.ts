/** The Einsums of Cascade 5 (FuseMax Eq. 44-55) on FuseMax's PEs, as this array executes them (Fig. 4 and 5). */
export const einsumNames = ["BQK", "LM", "SLN", "SLD", "SLNV", "RM", "PRM", "SPD", "RD", "SPNV", "RNV", "AV"] as const;
export type EinsumName = (typeof einsumNames)[number];

/** The 2D array (a tile of keys by queries) and the 1D array below it (a tile of queries). */
export type ArrayName = "2d" | "1d";

/** What a PE spends on one tile: so many points, so many operations each. */
export interface EinsumSteps {
  readonly points: "E" | "F" | 1;
  readonly operations: number;
}

/** Subtraction, then six multiply-accumulates (FuseMax section V; docs/numerics.md, "E2"). */
const exponential: EinsumSteps = { points: 1, operations: 7 };
const once: EinsumSteps = { points: 1, operations: 1 };
const perValue: EinsumSteps = { points: "F", operations: 1 };

/** AV's operation is a division, which takes as many cycles as the machine says. */
export const stepsOf: Readonly<Record<EinsumName, EinsumSteps>> = {
  BQK: { points: "E", operations: 1 },
  LM: once,
  SLN: exponential,
  SLD: once,
  SLNV: perValue,
  RM: once,
  PRM: exponential,
  SPD: once,
  RD: once,
  SPNV: perValue,
  RNV: perValue,
  AV: perValue,
};

export const isEinsumName = (name: string): name is EinsumName => Object.hasOwn(stepsOf, name);
