/** Accesses to one level's words of one tensor. */
export interface AccessCounts {
  /** Words served downward, or read back to go on with a sum. */
  reads: number;
  /** Words that arrived from below. */
  updates: number;
  /** Words that arrived from above. */
  fills: number;
}

/**
 * The levels of the FuseMax design, by the names of its specs; "spill" is the 1D array's file where the 2D array drains
 * into it.
 */
export type CountedLevel = "dram" | "buffer" | "spill" | "registers2d" | "registers1d";

/** The Einsums of Cascade 5 that compute, by the names of the model's specs. */
export const countedEinsums = [
  "BQK",
  "LM",
  "RM",
  "SLN",
  "SLD",
  "SLNV",
  "PRM",
  "SPD",
  "RD",
  "SPNV",
  "RNV",
  "AV",
] as const;
export type CountedEinsum = (typeof countedEinsums)[number];

/** What one Einsum was seen to do, over all PEs. */
export interface EinsumObservation {
  /** Time steps of its array, one point a PE; a partial tile takes as many as a whole one. */
  steps: number;
  /** SLN and PRM are six multiply-accumulates and an add a point. */
  readonly operations: { mac: number; add: number; max: number; divide: number };
  /** Accesses in words, by tensor and by the levels that keep it. */
  readonly accesses: Record<string, Partial<Record<CountedLevel, AccessCounts>>>;
}

export type Observations = Readonly<Record<CountedEinsum, EinsumObservation>>;

export function emptyObservations(): Observations {
  const empty = (): EinsumObservation => ({
    steps: 0,
    operations: { mac: 0, add: 0, max: 0, divide: 0 },
    accesses: {},
  });
  return Object.fromEntries(countedEinsums.map(name => [name, empty()])) as Record<CountedEinsum, EinsumObservation>;
}
