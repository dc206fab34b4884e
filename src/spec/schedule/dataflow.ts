/**
 * One Einsum as an array executes it on one tile: how many points each PE does one after the other, how long they take, what
 * must be there first. Derived from a design's mapping and architecture (model/schedule/dataflows.ts).
 */
export interface Dataflow {
  readonly name: string;
  /** The array that it runs on. */
  readonly array: string;
  /** Points that one PE does on one tile. */
  readonly points: number;
  /** Cycles of a point: the operations hold their PE one after the other. 0 where there is nothing to do for it. */
  readonly pointCycles: number;
  /** Cycles before the first point, of operations that are done once for all points of a tile (a reciprocal). */
  readonly leadCycles: number;
  /** The operations that it needs. */
  readonly units: readonly string[];
  /** The key tiles of its queries on which it runs. */
  readonly when: "every" | "first" | "last";
  /** Einsums of the same tile that must be done first. */
  readonly uses: readonly Operand[];
  /** Einsums that leave values at the same queries' previous key tile. */
  readonly carries: readonly string[];
}

export interface Operand {
  readonly einsum: string;
  /** Point f needs only point f of what is used, so that maker and user may alternate. */
  readonly pointwise: boolean;
  /** Points of what is used that one point needs at once, where lanes side by side share them: then f is a group of them. 1 for none. */
  readonly each: number;
}

/** Issue slots of an Einsum on one tile. */
export const slotsOf = ({ points, pointCycles, leadCycles }: Dataflow): number => leadCycles + points * pointCycles;
